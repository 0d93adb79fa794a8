import JSON
import Server
import ServerTestSupport
import TestSupport
import Testing

/// The state of the installation, for operators.
@Suite(.hangLimit) struct StatusTests {
    @Test func `an operator sees the node, its connections and the PostgreSQL servers`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            let status = try await mortise.api.get("/v1/status", as: mortise.operatorToken)
            #expect(status.status == 200, "\(status)")
            let node = try #require(status["nodes"]?.array?.first)
            #expect(node["version"] == "1.0.0-test")
            #expect(try await mortise.api.get("/v1/status", as: mortise.operatorToken)["nodes"]?.array?.first == node)
            let pools = status["control_pools"]?.array ?? []
            #expect(pools.compactMap { $0["purpose"]?.string } == ["changes", "reads", "usage", "stops"])
            let cluster = try #require(status["clusters"]?.array?.first)
            #expect(cluster["name"] == "primary" && cluster["is_reachable"] == true && cluster["is_standby"] == false)
            #expect(cluster["version"]?.string?.first?.isNumber == true)
            #expect(cluster["fault"] == .null && cluster["workspaces"] == 1)
            #expect(cluster["address"]?.string?.isEmpty == false)
            #expect(cluster["lookups"]?["open"] == 1)
            #expect(cluster["changes"]?["open"] != 0)
            let lease = try #require(cluster["leases"]?.array?.first)
            #expect(lease["id"]?.string?.count == 36 && lease["age_milliseconds"]?.text.allSatisfy(\.isNumber) == true)
            #expect(lease["is_own"] == true && lease["is_silent"] != nil)
            // An operator must find the machine of a silent node.
            #expect(lease["host"]?.string?.isEmpty == false && lease["process_id"]?.text.allSatisfy(\.isNumber) == true)
            #expect(lease["version"] == "1.0.0-test" && lease["peppers"] == ["a"])
            #expect(cluster["leases"]?.array?.count == 1 && cluster["fences"] == 0)
            #expect(cluster["oldest_fence_milliseconds"] == 0)
            #expect(status["memory"]?["keys"] == 3, "\(status)")
            #expect(try await mortise.api.get("/v1/status", as: mortise.adminToken).status == 403)
            #expect(try await mortise.api.get("/v1/status", as: nil).status == 401)
        }
    }

    @Test func `a standby is shown with its lag`() async throws {
        try await withReplicatedServer { server in
            try await withMortise(
                of: try TestInstallation(server.primary),
                configure: { $0.standbyInterval = .milliseconds(100) }
            ) { mortise in
                let status = try await mortise.api.get("/v1/status", as: mortise.operatorToken)
                let standby = try #require(status["clusters"]?.array?.first?["standbys"]?.array?.first, "\(status)")
                #expect(standby["state"] == "streaming" && standby["synchronization"] != nil)
                #expect(standby["lag_bytes"]?.text.allSatisfy(\.isNumber) == true)
                #expect(standby["lag_milliseconds"]?.text.allSatisfy(\.isNumber) == true)
                // The fault: a standby falls behind, and nobody notices before it is promoted.
                try await eventually("the metrics have the standby") {
                    let metrics = try await mortise.api.get("/metrics", as: nil).text
                    return ["s{", "_lag_bytes{", "_lag_seconds{"]
                        .allSatisfy { metrics.contains("\nmortise_standby\($0)cluster=\"primary\"} ") }
                        && metrics.contains("\nmortise_standbys{cluster=\"primary\"} 1.0\n")
                }
            }
        }
    }
}
