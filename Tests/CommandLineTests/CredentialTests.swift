import Glibc
import HTTPTestSupport
import Subprocess
import TestSupport
import Testing

@Suite(.hangLimit) struct CredentialTests {
    @Test(arguments: ["environment", "file", "standard input"])
    func `the credential reaches the server and is not printed`(_ way: String) async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
                TemporaryFolder.write(Program.credential + "\n", to: "\(folder)/admin.key")
                let list = ["key", "list", "--workspace", "shop"]
                let outcome =
                    switch way {
                    case "environment":
                        try await Program.run(list, server: server, environment: ["MORTISE_TOKEN": Program.credential])
                    case "file":
                        try await Program.run(list + ["--token-file", "\(folder)/admin.key"], server: server)
                    default:
                        try await Program.run(
                            list + ["--token-file", "-"],
                            server: server,
                            input: Program.credential + "\n"
                        )
                    }
                #expect(outcome.code == 0)
                #expect(server.requests.map { $0.header("authorization") } == [["Bearer \(Program.credential)"]])
                #expect(!outcome.everything.contains(Program.credential))
            }
        }
    }

    // The attack: another user of the machine runs ps while a command waits for the answer.
    @Test func `the process list shows neither the credential nor the token to verify`() async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in .silence }) { server in
                TemporaryFolder.write(Sample.token, to: "\(folder)/token")
                let result = try await Subprocess.run(
                    Program.executable,
                    arguments: ["verify", "--from", "\(folder)/token"],
                    environment: Program.variables(server, ["MORTISE_TOKEN": Program.credential]),
                    input: .none,
                    output: .discarded,
                    error: .discarded
                ) { execution in
                    let request = await server.nextRequest()
                    #expect(request?.body.contains(Sample.token) == true)
                    let pid = execution.processIdentifier.value
                    let arguments = try #require(TemporaryFolder.text("/proc/\(pid)/cmdline"))
                    #expect(arguments.contains("verify"))
                    #expect(!arguments.contains(Sample.token) && !arguments.contains(Program.credential))
                    try execution.send(signal: .kill)
                }
                #expect(!result.terminationStatus.isSuccess)
            }
        }
    }

    // The accident: a token is typed as an argument, so the shell's history has it. An error with the token would put
    // it into logs.
    @Test(arguments: [["verify", Sample.token], ["key", "get", "x", "--workspace=\(Sample.token)"], [Sample.token]])
    func `a token in the arguments is refused and not printed`(_ arguments: [String]) async throws {
        try await ScriptedServer.with({ _ in .json(#"{"valid":true}"#) }) { server in
            let outcome = try await Program.run(arguments, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 64)
            #expect(!outcome.everything.contains(Sample.token))
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `a command without a credential sends nothing, and its error tells how to give one`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            let outcome = try await Program.run(["key", "list", "--operator"], server: server)
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("MORTISE_TOKEN") && outcome.errors.contains("--token-file"))
            #expect(server.requests.isEmpty)
        }
    }

    // The attack: a file with a line break splits the header, or its content appears in the error.
    @Test(arguments: ["zqx\nlines", "zqx in it", "", "na\u{EF}ve"])
    func `a file without a token is refused and not printed`(_ text: String) async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
                TemporaryFolder.write(text, to: "\(folder)/f")
                let outcome = try await Program.run(
                    ["key", "list", "--operator", "--token-file", "\(folder)/f"],
                    server: server
                )
                #expect(outcome.code == 64)
                #expect(text.isEmpty || !outcome.everything.contains(text.prefix(3)))
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a terminal prompt asks for the credential and does not show it`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key]) }) { server in
            let (code, screen) = try await PseudoTerminal.run(
                ["key", "list", "--workspace", "shop"],
                server: server,
                answers: [("session token: ", "\(Program.credential)X\u{7F}\r")]
            )
            #expect(code == 0)
            #expect(server.requests.map { $0.header("authorization") } == [["Bearer \(Program.credential)"]])
            #expect(!screen.contains("kkkk"))
        }
    }

    @Test func `Ctrl-C at the prompt ends the program, and nothing is sent`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            let (code, _) = try await PseudoTerminal.run(
                ["key", "list", "--workspace", "shop"],
                server: server,
                answers: [("session token: ", "abc\u{03}")]
            )
            #expect(code == 130)
            #expect(server.requests.isEmpty)
        }
    }

    // The attack: a listener on the network reads the credential.
    @Test func `the credential is not sent over plain HTTP to another machine`() async throws {
        let outcome = try await Program.run(
            ["key", "list", "--operator", "--url", "http://keys.invalid"],
            environment: ["MORTISE_TOKEN": Program.credential]
        )
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("not encrypted"))
    }

    // The attack: a redirection sends the credential to another server.
    @Test func `a redirection is not followed`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { other in
            let location = other.url
            try await ScriptedServer.with({ _ in .answer(307, "", headers: [("Location", location)]) }) { server in
                let outcome = try await Program.call("key", "list", "--operator", at: server)
                #expect(outcome.code == 3)
                #expect(outcome.errors.contains("redirects to"))
                #expect(other.requests.isEmpty)
            }
        }
    }
}
