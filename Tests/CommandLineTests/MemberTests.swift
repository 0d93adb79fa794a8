import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct MemberTests {
    @Test func `members are a table with e-mail addresses and roles`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.member]) }) { server in
            let outcome = try await Program.call("member", "list", "--organization", "acme", at: server)
            #expect(outcome.output.contains("ada@example.com  Ada   admin  all  "))
        }
    }

    @Test func `a password file keeps its blanks and loses its line break`() async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in .json(Sample.member) }) { server in
                TemporaryFolder.write(" correct horse battery \nsecond line\n", to: "\(folder)/p")
                let outcome = try await Program.call(
                    "member",
                    "add",
                    "ada@example.com",
                    "--organization",
                    "acme",
                    "--role",
                    "admin",
                    "--password-file",
                    "\(folder)/p",
                    at: server
                )
                #expect(outcome.code == 0)
                #expect(server.requests.first?.body.contains(#""password":" correct horse battery ""#) == true)
                #expect(!outcome.everything.contains("horse"))
            }
        }
    }

    // The attack: somebody looks over the user's shoulder or scrolls back in the terminal.
    @Test func `a password at the prompt is typed twice and not shown`() async throws {
        let command = ["member", "change", Sample.id, "--organization", "acme", "--ask-password"]
        for (second, code, count) in [("correct horse battery", CInt(0), 1), ("another horse", 64, 0)] {
            try await ScriptedServer.with({ _ in .json(Sample.member) }) { server in
                let (exit, screen) = try await PseudoTerminal.run(
                    command,
                    server: server,
                    environment: ["MORTISE_TOKEN": "t"],
                    answers: [("member: ", "correct horse battery\r"), ("Repeat the password: ", second + "\r")]
                )
                #expect(exit == code)
                #expect(server.requests.count == count)
                #expect(!screen.contains("horse"))
            }
        }
    }
}
