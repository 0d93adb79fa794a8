import JSON
import Postgres
import TestSupport
import Testing

/// `mortise key recover`.
@Suite(.hangLimit) struct KeyRecoveryTests {
    // Accident: the only operator key was revoked by SQL, or its token was lost with a laptop.
    @Test func `a lost operator key is replaced beside the database, with an event`() async throws {
        try await ProcessInstallation.with { installation in
            let none = try await Program.run(["key", "recover"], environment: installation.variables)
            #expect(none.code == 1, "\(none.everything)")
            try await installation.serve { program in
                let port = try await program.port()
                try await installation.withConnection {
                    try await $0.script("UPDATE auth.service_keys SET revoked_at = now() WHERE kind = 'operator'")
                }
                let path = "/v1/operator-keys"
                let lost = try await installation.call("GET", path, port: port, token: installation.operatorToken)
                #expect(lost.status == 401)
                let found = try await Program.run(["doctor"], environment: installation.variables)
                #expect(found.code == 1, "\(found.everything)")
                #expect(found.output.contains("No live operator key works"), "\(found.everything)")
                let file = "\(installation.folder)/operator.key"
                let outcome = try await Program.run(
                    ["key", "recover", "--token-out", file],
                    environment: installation.variables
                )
                #expect(outcome.code == 0, "\(outcome.everything)")
                let token = try #require(TemporaryFolder.text(file)).filter { !$0.isWhitespace }
                #expect(!outcome.everything.contains(token))
                #expect(outcome.output.contains("The token is in \(file)."), "\(outcome.everything)")
                let list = try await installation.call("GET", "\(path)?status=active", port: port, token: token)
                #expect(list.status == 200, "\(list)")
                #expect(list.body["data"]?.array?.count == 1)
                let id = try #require(list.body["data"]?.array?.first?["id"]?.string)
                let events = try await installation.call("GET", "\(path)/\(id)/events", port: port, token: token)
                #expect(events.body["data"]?.array?.first?["type"] == "created")
                #expect(events.body["data"]?.array?.first?["actor"] == "system")
                // It can be done again, also while another key works.
                let again = try await Program.run(["key", "recover"], environment: installation.variables)
                #expect(again.code == 0, "\(again.everything)")
                #expect(again.output.hasPrefix("mko_live_"))
                let mended = try await Program.run(["doctor"], environment: installation.variables)
                #expect(!mended.output.contains("operator key"), "\(mended.everything)")
            }
        }
    }
}
