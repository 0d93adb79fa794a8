import Glibc
import HTTPTestSupport
import JSON
import TestSupport
import Testing

@Suite(.hangLimit) struct CheckupTests {
    @Test(arguments: [
        (200, "ready\n", CInt(0)), (200, "ready\nchanges are refused\n", 0), (503, "the pool is empty\n", 1),
        (404, "no", 1),
    ])
    func `the exit code of --ready tells the readiness`(_ status: Int, _ text: String, _ code: CInt) async throws {
        try await ScriptedServer.with({ _ in .answer(status, text, type: "text/plain") }) { server in
            let outcome = try await Program.run(["doctor", "--ready"], server: server)
            #expect(outcome.code == code)
            #expect(server.requests.map(\.uri) == ["/readyz"])
            #expect(server.requests.allSatisfy { $0.header("authorization").isEmpty })
            #expect(outcome.output.contains("with a limit: changes are refused") == text.contains("changes"))
            if status == 503 { #expect(outcome.output.contains("The server is not ready: the pool is empty")) }
        }
    }

    @Test func `an unreachable server exits with 3`() async throws {
        // A port that was free a moment ago can be another test's.
        let url = "http://127.0.0.1:1"
        for more in [["--ready"], []] {
            #expect(try await Program.run(["doctor", "--url", url] + more).code == 3)
        }
    }

    @Test func `a healthy server has no problems`() async throws {
        let outcome = try await examine(secondsAhead: 0)
        #expect(outcome.code == 0)
        let findings = try #require(try JSONValue(parsing: Array(outcome.output.utf8)).array)
        #expect(findings.map { $0["level"]?.string } == ["ok", "ok", "ok", "ok", "ok"])
    }

    @Test(arguments: [-60, 60])
    func `a wrong clock is a problem with a remedy`(_ seconds: Int) async throws {
        let outcome = try await examine(secondsAhead: seconds)
        #expect(outcome.code == 1)
        #expect(outcome.output.contains(seconds > 0 ? "s ahead of this machine" : "s behind this machine"))
        #expect(outcome.output.contains("NTP"))
    }

    @Test func `a server that publishes no documents is examined, and the remedy names the setting`() async throws {
        try await ScriptedServer.with({ request in
            request.uri == "/openapi.json"
                ? .answer(404, "{}") : .answer(200, "ok\n", type: "text/plain")
        }) { server in
            let outcome = try await Program.run(["doctor", "--url", server.url])
            #expect(outcome.code == 0, "\(outcome.everything)")
            #expect(outcome.output.contains("does not tell its version"))
            #expect(outcome.output.contains("public_operations"))
        }
    }

    @Test func `a secrets file that cannot be used is a problem with a next step`() async throws {
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write("pepper s1\n", to: "\(folder)/secrets")
            let outcome = try await Program.run([
                "doctor", "--data", "\(folder)/data", "--pepper-file", "\(folder)/secrets",
            ])
            #expect(outcome.code == 1, "\(outcome.everything)")
            #expect(outcome.output.contains("cannot be used: line 1"), "\(outcome.output)")
            #expect(outcome.output.contains("Restore it from a copy"))
        }
    }

    // The faults: a secrets file that its group can read, or a provider that is down, hides a broken database from the one who looks.
    @Test func `a problem that has nothing to do with the databases leaves none of them out`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { _ = try await $0.port() }
            let secrets = "\(installation.folder)/secrets"
            try #require(chmod(secrets, 0o640) == 0)
            let open = try await Program.run(["doctor"], environment: installation.variables)
            #expect(open.code == 1 && open.output.contains("Other users can read"), "\(open.everything)")
            #expect(
                open.output.contains("The control database's schema (control) is up to date."),
                "\(open.everything)"
            )
            try #require(chmod(secrets, 0o600) == 0)
            try await ScriptedServer.with({ _ in .answer(404, "{}") }) { server in
                let provider = [
                    "MORTISE_OIDC_ISSUER": server.url, "MORTISE_OIDC_CLIENT_ID": "mortise",
                    "MORTISE_OIDC_CLIENT_SECRET": "hunter2hunter2", "MORTISE_PASSWORDS": "off",
                ]
                let variables = installation.variables.merging(provider) { $1 }
                let down = try await Program.run(["doctor"], environment: variables)
                #expect(down.code == 1 && down.output.contains("cannot be used, so members"), "\(down.everything)")
                #expect(
                    down.output.contains("The control database's schema (control) is up to date."),
                    "\(down.everything)"
                )
            }
            // Without the secrets, the connections of the service cannot be tried. The doctor says that it did not look.
            var bare = installation.variables
            bare["MORTISE_PEPPER_FILE"] = "\(installation.folder)/lost"
            let lost = try await Program.run(["doctor"], environment: bare)
            #expect(lost.code == 1, "\(lost.everything)")
            let sentence = "The databases were not examined, because the secrets file cannot be used."
            #expect(lost.output.contains(sentence), "\(lost.everything)")
        }
    }

    @Test func `a server that is not Mortise is not examined`() async throws {
        try await ScriptedServer.with({ _ in .answer(404, "", type: "text/html") }) { server in
            let outcome = try await Program.run(["doctor", "--url", server.url])
            #expect(outcome.code == 3)
            #expect(server.requests.count == 1)
        }
    }

    private func examine(secondsAhead: Int) async throws -> Outcome {
        let version = try await Program.run(["--version"]).output.dropLast()
        return try await ScriptedServer.with({ request in
            let headers = [("Date", httpDate(secondsAhead: secondsAhead))]
            switch request.uri {
            case "/openapi.json": return .answer(200, #"{"info":{"version":"\#(version)"}}"#, headers: headers)
            default: return .answer(200, "ok\n", type: "text/plain", headers: headers)
            }
        }) { server in
            try await Program.run(["doctor", "--url", server.url, "--json"])
        }
    }
}

/// Returns the time of this machine plus some seconds, in the format of HTTP.
private func httpDate(secondsAhead: Int) -> String {
    var now = time(nil) + secondsAhead
    var parts = tm()
    gmtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
