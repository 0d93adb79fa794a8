import Glibc
import HTTPTestSupport
import TestSupport
import Testing
import mortise

/// `mortise health`, the health check of a container.
@Suite(.hangLimit) struct HealthTests {
    // The accident: the server listens elsewhere than by default, and a container that works is restarted for ever.
    @Test func `the check asks the listener that the settings name`() async throws {
        try await TemporaryFolder.with { folder in
            let socket = "\(folder)/operators.sock"
            let serve = [
                "MORTISE_DATA": "\(folder)/data", "MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_LOG_FORMAT": "json",
                "MORTISE_OPERATIONS_LISTEN": "unix:\(socket)",
            ]
            try #require(chmod(folder, 0o755) == 0)
            _ = try await RunningProgram.with(["serve"], serve, in: folder) { program in
                let port = try await program.port()
                try await eventually("operators can connect") { access(socket, F_OK) == 0 }
                let operators = ["MORTISE_LISTEN": "127.0.0.1:9", "MORTISE_OPERATIONS_LISTEN": "unix:\(socket)"]
                for setting in [
                    ["MORTISE_LISTEN": "0.0.0.0:\(port)"], ["MORTISE_LISTEN": "localhost:\(port)"], operators,
                ] {
                    try await eventually("the server is ready: \(setting)") {
                        try await Program.run(["health"], environment: setting).code == 0
                    }
                }
                TemporaryFolder.write("listen: 127.0.0.1:\(port)\n", to: "\(folder)/mortise.yaml")
                try await eventually("the server of the settings file is ready") {
                    try await Program.run(["health", "--settings", "\(folder)/mortise.yaml"]).code == 0
                }
                program.terminate()
                try await program.waitForEnd()
                // Another test's server can listen at the port by now, and nobody at the socket.
                let ended = try await Program.run(["health"], environment: operators)
                #expect(ended.code == 3, "\(ended.everything)")
            }
        }
    }

    @Test(arguments: [(200, "ready\n", CInt(0)), (503, "the pool is empty\n", 1), (404, "no", 3)])
    func `the exit code tells the readiness, and the message the reason`(_ status: Int, _ text: String, _ code: CInt)
        async throws
    {
        try await ScriptedServer.with({ _ in .answer(status, text, type: "text/plain") }) { server in
            let address = server.url.replacing("http://", with: "")
            let outcome = try await Program.run(["health"], environment: ["MORTISE_LISTEN": address])
            #expect(outcome.code == code, "\(outcome.everything)")
            #expect(server.requests.map(\.uri) == ["/readyz"])
            if status == 503 { #expect(outcome.errors.contains("the pool is empty")) }
        }
    }

    // The accident: somebody looks for a fault of the server, which is well and only speaks HTTPS.
    @Test func `a server that speaks HTTPS and a missing socket are named with what to do`() async throws {
        let answer = #"{"detail":"The server speaks HTTPS on this port. Send the request to https://."}"#
        try await ScriptedServer.with({ _ in .answer(400, answer, type: "application/problem+json") }) { server in
            let address = server.url.replacing("http://", with: "")
            let outcome = try await Program.run(["health"], environment: ["MORTISE_LISTEN": address])
            #expect(outcome.code == 3, "\(outcome.everything)")
            #expect(outcome.errors.contains("speaks HTTPS") && outcome.errors.contains("MORTISE_TLS_CERTIFICATE"))
        }
        let socket = try await Program.run(["health"], environment: ["MORTISE_LISTEN": "unix:/nowhere/m.sock"])
        #expect(socket.code == 3 && socket.errors.contains("No server answers at unix:/nowhere/m.sock."))
    }

    @Test func `a port that only the server knows is refused with the setting to change`() async throws {
        let outcome = try await Program.run(["health"], environment: ["MORTISE_LISTEN": "127.0.0.1:0"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("MORTISE_LISTEN"))
    }
}
