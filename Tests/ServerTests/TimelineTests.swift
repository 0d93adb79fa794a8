import ServerTestSupport
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct TimelineTests {
    // The attack: a member is removed after a failover. A node that still reaches the old server goes on to believe what it says, as long
    // as it has a lease of that server. The removal must not be answered before that lease has ended.
    @Test func `the first change of members after a failover waits for the leases of before`() async throws {
        try await withInstallation { installation in
            try await withMortise(of: installation) { first in
                let member = try await first.addMember("gone@example.org", "auditor")
                let cluster = installation.server.configuration(database: installation.installation.clusterDatabase)
                // As after a failover: no change has waited for the leases of an earlier timeline yet.
                try await first.script(cluster, "UPDATE fence.timeline SET system_identifier = 1")
                try await withMortise(of: installation) { second in
                    let removed = try await second.api.send("DELETE", member.path, as: first.adminToken)
                    #expect(removed.status == 204, "\(removed)")
                    let recorded = try await second.rows(
                        cluster,
                        "SELECT 1 FROM fence.timeline t JOIN fence.current_timeline() c USING (system_identifier, timeline)"
                    )
                    #expect(!recorded.isEmpty)
                }
            }
        }
    }
}
