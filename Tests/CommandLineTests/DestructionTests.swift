import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct DestructionTests {
    static let commands = [
        ["key", "delete", Sample.id, "--workspace", "w"], ["key", "revoke", Sample.id, "--workspace", "w"],
        ["workspace", "archive", "w"], ["workspace", "delete", "w"],
        ["member", "remove", Sample.id, "--organization", "o"],
        ["session-issuer", "remove", Sample.id, "--organization", "o"], ["organization", "delete", "o"],
        ["member", "sign-out", Sample.id, "--organization", "o"],
        ["member", "unbind", Sample.id, "--organization", "o"], ["key", "retire", "u", "--workspace", "w"],
        ["webhook", "delete", Sample.id, "--organization", "o"],
    ]

    @Test(arguments: commands)
    func `a destructive command without a terminal needs --yes`(_ command: [String]) async throws {
        try await ScriptedServer.with(Sample.success) { server in
            let outcome = try await Program.run(
                command,
                server: server,
                environment: ["MORTISE_TOKEN": "t"],
                input: "y\n"
            )
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("--yes"))
            #expect(server.requests.isEmpty)
            let sure = try await Program.run(command + ["--yes"], server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(sure.code == 0)
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [("n", 0), ("", 0), ("yess", 0), ("y", 1), ("YES", 1)])
    func `a prompt accepts only y and yes as confirmation`(_ answer: String, _ requests: Int) async throws {
        try await ScriptedServer.with({ _ in .json(Sample.key) }) { server in
            let (code, _) = try await PseudoTerminal.run(
                ["key", "revoke", Sample.id, "--workspace", "w"],
                server: server,
                environment: ["MORTISE_TOKEN": "t"],
                answers: [("[y/N] ", answer + "\r")]
            )
            #expect(code == (requests == 0 ? 64 : 0))
            #expect(server.requests.count == requests)
        }
    }
}
