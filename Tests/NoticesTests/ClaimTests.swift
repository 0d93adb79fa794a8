import HTTPTestSupport
import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

@testable import Notices

/// The claims of attempts in the control database.
@Suite(.hangLimit) struct ClaimTests {
    /// The time at which the deliveries of these tests are due.
    ///
    /// The server of the test does not see them.
    private static let shift = Duration.seconds(1000 * 86_400)

    /// Claims attempts, and returns their number for each webhook.
    private static func claim(_ shares: AttemptShares, of mortise: ServerHarness) async throws -> [String: Int] {
        let claimed = try await mortise.server.platform.databases.control.pool.withConnection { connection in
            try await DeliveryQueue(connection: connection)
                .claim(by: IdentifierSource.system.id(), shares, shift: Self.shift)
        }
        var counts: [String: Int] = [:]
        for attempt in claimed { counts[UUIDv7.text(of: attempt.webhook.id), default: 0] += 1 }
        return counts
    }

    // The fault: one organization or one webhook with a long queue gets every free slot.
    @Test func `organizations take turns, and so do the webhooks of an organization`() async throws {
        try await withMortise { mortise in
            let first = try await mortise.makeWebhook("https://a.example/", ["webhook.test"]).id
            let second = try await mortise.makeWebhook("https://b.example/", ["webhook.test"]).id
            let other = try await mortise.api.post("/v1/organizations", ["name": "Other"], as: mortise.operatorToken)
            let token = try #require(other["token"]?.string)
            let made = try await mortise.api.post(
                "/v1/organizations/other/webhooks",
                ["url": "https://c.example/", "event_types": ["webhook.test"]],
                as: token
            )
            let third = try #require(made["webhook"]?["id"]?.string)
            // The deliveries of the first webhook are due before the others, and those of the third one at the end.
            for (index, webhook) in [first, second, third].enumerated() {
                try await mortise.script(
                    mortise.installation.control,
                    """
                    INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body,
                        next_attempt_at)
                    SELECT gen_random_uuid(), '\(webhook)', gen_random_uuid(), 'key.updated', gen_random_uuid(), n, '{}',
                        now() + interval '999 days' + \(index) * interval '1 hour' + n * interval '1 second'
                    FROM generate_series(1, 100) n
                    """
                )
            }
            let firstID = try #require(UUIDv7.parse(first))
            let secondID = try #require(UUIDv7.parse(second))
            let otherID = try #require(other["organization"]?["id"]?.string)
            let organization = try #require(UUIDv7.parse(otherID))
            var shares = AttemptShares(quick: 8, slow: 2, quickPerOrganization: 4, slowPerOrganization: 1)
            for _ in 0..<2 {
                let claimed = try await Self.claim(shares, of: mortise)
                #expect(claimed == [first: 2, second: 2, third: 4])
            }
            // The attempts at a slow webhook are counted apart.
            shares.quick = 3
            shares.webhooks[secondID] = AttemptShares.OfWebhook(rest: 10, isSlow: true)
            let divided = try await Self.claim(shares, of: mortise)
            #expect(divided == [first: 2, second: 1, third: 1])
            // A webhook or an organization whose slots are used up gets none.
            shares = AttemptShares(quick: 100, slow: 100, quickPerOrganization: 100, slowPerOrganization: 100)
            shares.webhooks[firstID] = AttemptShares.OfWebhook(rest: 0, isSlow: false)
            shares.webhooks[secondID] = AttemptShares.OfWebhook(rest: 10, isSlow: false)
            let full = try await Self.claim(shares, of: mortise)
            #expect(full == [second: 10, third: AttemptSlots.perWebhook])
            shares.organizations[organization] = AttemptShares.OfOrganization(quick: 0, slow: 0)
            let alone = try await Self.claim(shares, of: mortise)
            #expect(alone == [second: 10])
            // A webhook that fails gets one, and counts as slow.
            try await mortise.script(
                mortise.installation.control,
                "UPDATE control.webhooks SET failing_since = now()"
            )
            let fresh = AttemptShares(quick: 100, slow: 2, quickPerOrganization: 100, slowPerOrganization: 100)
            let failing = try await Self.claim(fresh, of: mortise)
            #expect(failing.values.allSatisfy { $0 == 1 })
            #expect(failing.count == 2)
        }
    }
}
