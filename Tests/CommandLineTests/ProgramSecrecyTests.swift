import FoundationEssentials
import Glibc
import JSON
import Keys
import TestSupport
import Testing

/// No output, log or file of the program shows a secret.
@Suite(.hangLimit) struct ProgramSecrecyTests {
    private func variables(_ folder: String) -> [String: String] {
        ["MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_LOG_FORMAT": "json"]
    }

    /// Uses a running server: creates and rotates a key, and sends tokens in the wrong places.
    ///
    /// - Returns: The tokens of the key.
    private func use(_ port: Int, _ admin: String, _ installation: ProcessInstallation) async throws -> [String] {
        let path = "/v1/workspaces/default/service-keys"
        let made = try await installation.call("POST", path, ["name": "k"], port: port, key: "hunter2", token: admin)
        let first = try #require(made.body["token"]?.string, "\(made)")
        let id = made.body["key"]?["id"]?.string ?? ""
        let rotated = try await installation.call("POST", "\(path)/\(id)/rotate", port: port, token: admin)
        let second = try #require(rotated.body["token"]?.string, "\(rotated)")
        for path in ["\(path)/\(first)", "/v1/\(second)?query=\(first)"] {
            _ = try await installation.call("GET", path, port: port, token: first)
        }
        #expect(try await installation.call("POST", path, ["name": "k"], port: port, token: admin).status == 409)
        return [first, second]
    }

    // The attack: somebody reads the logs of the server and of its PostgreSQL, and a crash report, on a log collector.
    @Test func `no secret is in the program's output or in its PostgreSQL's log, even after a crash`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            try await TemporaryFolder.with { folder in
                try #require(chmod(folder, 0o755) == 0)
                let admin = installation.adminToken
                var variables = self.variables(folder)
                variables["MORTISE_OPERATOR_KEY"] = installation.operatorToken
                variables["MORTISE_ADMIN_KEY"] = admin
                variables["MORTISE_LOG_LEVEL"] = "trace"
                variables["MORTISE_ACCESS_LOG"] = "all"
                let run = try await RunningProgram.with(["serve"], variables, in: folder) { program in
                    let tokens = try await use(try await program.port(), admin, installation)
                    _ = kill(program.id, SIGSEGV)
                    // The Swift runtime prints a backtrace and the memory that registers point to. It consumes the
                    // signal.
                    try await eventually("the crash is reported", within: .seconds(60)) {
                        program.hasEnded || program.log.contains("Backtrace took")
                    }
                    return (tokens, program.output + program.log)
                }
                let (tokens, streams) = run.value
                let log = try #require(TemporaryFolder.text("\(folder)/data/postgres/postgres.log"))
                let secrets = try SecretsFile(parsing: TemporaryFolder.text("\(folder)/data/secrets") ?? "")
                // This command also stops the PostgreSQL that the crash has left behind.
                let check = try await Program.run(["migrate", "--status"], environment: self.variables(folder))
                #expect(check.code == 0, "\(check.everything)")
                let text = (streams + log + check.everything).lowercased()
                #expect(text.contains("listening") && text.contains("database system is ready"))
                var forbidden = ["hunter2"]
                for token in tokens + [admin, installation.operatorToken] {
                    forbidden.append(String(token.dropFirst(16).prefix(20)))
                    forbidden.append(Self.hex(secrets.peppers.digest(of: try Token(token)).digest.bytes))
                }
                for line in secrets.reveal().split(separator: "\n") {
                    forbidden.append(String(try #require(line.split(separator: " ").last)))
                }
                for (number, secret) in forbidden.enumerated() {
                    #expect(!text.contains(secret.lowercased()), "secret \(number)")
                }
                #expect(!text.contains("scram-sha-256$"))
            }
        }
    }

    // The attack: somebody reads the error of a failed command in the public output of a job.
    @Test func `no command prints the password of a database URL`() async throws {
        try await ProcessInstallation.with { installation in
            var variables = installation.variables
            for url in [
                "postgresql://owner:hunter2@127.0.0.1:1/mortise", "host=127.0.0.1 port=1 user=owner password=hunter2",
                "postgresql://owner:hunter2@no-such-host.invalid/mortise",
            ] {
                variables["MORTISE_DATABASE_URL"] = url
                for command in [["serve"], ["migrate"], ["doctor"], ["cluster", "list"]] {
                    let outcome = try await Program.run(command, environment: variables)
                    #expect(outcome.code == 1, "\(command): \(outcome.code)")
                    #expect(!outcome.everything.contains("hunter2"), "\(command)")
                }
            }
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
