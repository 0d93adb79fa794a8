import HTTPTestSupport
import JSON
import Subprocess
import TestSupport
import Testing

@Suite(.hangLimit) struct NewTokenTests {
    static let commands = [
        ["key", "create", "CI", "--workspace", "shop"],
        ["key", "rotate", Sample.id, "--workspace", "shop"],
        ["organization", "create", "Acme"],
    ]

    // The accident: a key is created and works, but nobody sees its token.
    @Test(arguments: commands)
    func `nothing is created unless the token has a destination`(_ command: [String]) async throws {
        try await ScriptedServer.with({ _ in .json(Sample.newKey) }) { server in
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("--show-token") && outcome.errors.contains("--token-out"))
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: commands)
    func `a token file is readable by its owner alone, and the token is not printed`(_ command: [String])
        async throws
    {
        try await TemporaryFolder.with { folder in
            for format in [[], ["--json"], ["--quiet"]] {
                try await ScriptedServer.with(answer) { server in
                    let file = "\(folder)/token\(format.first ?? "")"
                    let outcome = try await Program.run(
                        command + format + ["--token-out", file],
                        server: server,
                        environment: ["MORTISE_TOKEN": "t"]
                    )
                    #expect(outcome.code == 0)
                    #expect(TemporaryFolder.text(file) == Sample.token + "\n")
                    #expect(TemporaryFolder.mode(file) == 0o600)
                    #expect(!outcome.everything.contains(Sample.token))
                    #expect(!outcome.output.isEmpty)
                }
            }
        }
    }

    @Test(arguments: commands)
    func `--show-token --quiet prints the token alone`(_ command: [String]) async throws {
        try await ScriptedServer.with(answer) { server in
            let outcome = try await Program.run(
                command + ["--show-token", "--quiet"],
                server: server,
                environment: ["MORTISE_TOKEN": "t"]
            )
            #expect(outcome.code == 0)
            #expect(outcome.output == Sample.token + "\n")
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test func `--show-token --json prints the whole answer of the server`() async throws {
        try await ScriptedServer.with(answer) { server in
            let outcome = try await create("--show-token", "--json", at: server)
            #expect(outcome.output == Sample.newKey + "\n")
        }
    }

    @Test func `an existing file is not changed, and nothing is created`() async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with(answer) { server in
                TemporaryFolder.write("precious", to: "\(folder)/f")
                let outcome = try await create("--token-out", "\(folder)/f", at: server)
                #expect(outcome.code == 64)
                #expect(TemporaryFolder.text("\(folder)/f") == "precious")
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a refused request leaves no file`() async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in Sample.problem(409, "conflict", "The name is taken.") }) { server in
                let outcome = try await create("--token-out", "\(folder)/f", at: server)
                #expect(outcome.code == 1)
                #expect(TemporaryFolder.text("\(folder)/f") == nil)
            }
        }
    }

    @Test func `after a broken connection, the message names the key that recovers the token`() async throws {
        try await ScriptedServer.with({ _ in .hangUp }) { server in
            let outcome = try await create("--show-token", "--expires-in", "1d", at: server)
            let request = try #require(server.requests.first)
            let key = try #require(request.header("idempotency-key").first)
            let body = try JSONValue(parsing: Array(request.body.utf8))
            let time = try #require(body["expires_at"]?.string)
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("--idempotency-key \(key)"))
            #expect(outcome.errors.contains("--expires-at \(time) instead of --expires-in"))
        }
    }

    @Test func `a repeated command sends the given key, and other commands send new keys`() async throws {
        try await ScriptedServer.with(answer) { server in
            let create = ["key", "create", "CI", "--workspace", "shop", "--show-token"]
            for more in [["--idempotency-key", "abc"], [], []] {
                _ = try await Program.run(create + more, server: server, environment: ["MORTISE_TOKEN": "t"])
            }
            let keys = server.requests.compactMap { $0.header("idempotency-key").first }
            #expect(keys.first == "abc")
            #expect(Set(keys).count == 3)
        }
    }

    @Test func `after Ctrl-C during a request, the message names the key that recovers the answer`() async throws {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in .silence }) { server in
                let result = try await Subprocess.run(
                    Program.executable,
                    arguments: ["key", "create", "CI", "--workspace", "shop", "--token-out", "\(folder)/f"],
                    environment: Program.variables(server, ["MORTISE_TOKEN": "t"]),
                    input: .none,
                    output: .discarded,
                    error: .string(limit: 65_536)
                ) { execution in
                    let request = await server.nextRequest()
                    try execution.send(signal: .interrupt)
                    return request?.header("idempotency-key").first ?? "-"
                }
                #expect(Program.code(result.terminationStatus) == 130)
                #expect(result.standardError.contains("--idempotency-key \(result.closureResult)"))
                #expect(TemporaryFolder.text("\(folder)/f") == nil)
            }
        }
    }

    /// Runs `key create` with options.
    private func create(_ options: String..., at server: ScriptedServer) async throws -> Outcome {
        try await Program.run(
            ["key", "create", "CI", "--workspace", "shop"] + options,
            server: server,
            environment: ["MORTISE_TOKEN": "t"]
        )
    }

    private var answer: @Sendable (SeenRequest) -> Reply {
        { .json($0.uri == "/v1/organizations" ? Sample.organization : Sample.newKey) }
    }
}
