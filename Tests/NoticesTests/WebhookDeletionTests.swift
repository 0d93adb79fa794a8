import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

@testable import Notices

/// The deletion of webhooks with more deliveries than a statement can delete in its time.
@Suite(.hangLimit) struct WebhookDeletionTests {
    private static let number = 2500

    /// Adds deliveries that have ended, each with an attempt.
    private static func addDeliveries(of webhook: String, _ mortise: ServerHarness) async throws {
        try await mortise.script(
            mortise.installation.control,
            """
            INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body, first_attempt_at,
                attempt_count)
            SELECT gen_random_uuid(), '\(webhook)', gen_random_uuid(), 'key.updated', gen_random_uuid(), n, '{}', now(), 1
            FROM generate_series(1, \(number)) n;
            INSERT INTO control.webhook_attempts (delivery_id, number, at, duration_ms, status_code)
            SELECT id, 1, now(), 5, 200 FROM control.webhook_deliveries
            """
        )
    }

    /// Lets a statement that deletes more deliveries than a number fail as if it had taken too long.
    ///
    /// The cascade of a deletion is such a statement.
    private static func limitDeletions(to limit: Int, _ mortise: ServerHarness) async throws {
        try await mortise.script(
            mortise.installation.control,
            """
            CREATE OR REPLACE FUNCTION control.limit_deletions() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT count(*) FROM gone) > \(limit) THEN
                    RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = 'query_canceled';
                END IF;
                RETURN NULL;
            END $$;
            CREATE OR REPLACE TRIGGER limit_deletions AFTER DELETE ON control.webhook_deliveries
                REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION control.limit_deletions()
            """
        )
    }

    private static func count(_ rows: String, _ mortise: ServerHarness) async throws -> Int? {
        try await mortise.rows(mortise.installation.control, "SELECT count(*) FROM \(rows)").first?
            .decode(0, as: Int.self)
    }

    // The attack: a tenant collects hundreds of thousands of deliveries. The deletion of the webhook then fails each time, and locks the
    // webhook meanwhile.
    @Test func `a webhook with many deliveries is gone at once, and its deliveries follow in batches`() async throws {
        try await withMortise(configure: { $0.quotas.webhooksPerOrganization = 1 }) { mortise in
            let (api, token) = (mortise.api, mortise.adminToken)
            let list = "/v1/organizations/default/webhooks"
            let webhook = try await mortise.makeWebhook("https://a.example/", ["webhook.test"])
            try await Self.addDeliveries(of: webhook.id, mortise)
            try await Self.limitDeletions(to: 1000, mortise)
            #expect(try await api.send("DELETE", webhook.path, as: token).status == 204)
            // Nothing shows it, and nothing changes it.
            for path in [webhook.path, "\(webhook.path)/deliveries"] {
                #expect(try await api.get(path, as: token).status == 404)
            }
            for call in ["enable", "disable", "rotate-secret", "test"] {
                #expect(try await api.post("\(webhook.path)/\(call)", as: token).status == 404, "\(call)")
            }
            let patch: JSONValue = ["description": "d"]
            #expect(try await api.send("PATCH", webhook.path, patch, as: token).status == 404)
            #expect(try await api.send("DELETE", webhook.path, as: token).status == 404)
            #expect(try await api.get(list, as: token)["data"]?.array?.isEmpty == true)
            let events = try await api.get("/v1/organizations/default/events?type=webhook.deleted", as: token)
            #expect(events["data"]?.array?.count == 1)
            // It does not count for the quota.
            let next = try await mortise.makeWebhook("https://b.example/", ["webhook.test"])
            // A node of an earlier release does not know the mark. To it the webhook is disabled, and it cannot change that.
            #expect(try await Self.count("control.webhooks WHERE deleted_at IS NOT NULL", mortise) == 1)
            await #expect(throws: PostgresError.self) {
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE control.webhooks SET disabled_at = NULL, disabled_reason = NULL WHERE id = '\(webhook.id)'"
                )
            }
            let deleted = try await mortise.server.platform.notices.deleteOldDeliveries()
            #expect(deleted == Self.number)
            #expect(try await Self.count("control.webhook_deliveries", mortise) == 0)
            #expect(try await Self.count("control.webhook_attempts", mortise) == 0)
            #expect(try await Self.count("control.webhooks", mortise) == 1)
            #expect(try await api.get(next.path, as: token).status == 200)
        }
    }

    @Test func `a webhook with few deliveries leaves no row behind`() async throws {
        try await withMortise { mortise in
            let webhook = try await mortise.makeWebhook("https://a.example/", ["webhook.test"])
            #expect(try await mortise.api.post("\(webhook.path)/test", as: mortise.adminToken).status == 202)
            #expect(try await mortise.api.send("DELETE", webhook.path, as: mortise.adminToken).status == 204)
            #expect(try await Self.count("control.webhooks", mortise) == 0)
            #expect(try await Self.count("control.webhook_deliveries", mortise) == 0)
        }
    }

    // The fault: the deletion of an organization fails because of its deliveries, after the databases of its workspaces were deleted.
    @Test func `the deliveries of an organization go before its databases, in batches`() async throws {
        try await withMortise { mortise in
            let (api, operatorToken) = (mortise.api, mortise.operatorToken)
            let acme = try await mortise.makeOrganization("Acme")
            let path = "/v1/organizations/acme"
            let made = try await api.post(
                "\(path)/webhooks",
                ["url": "https://a.example/", "event_types": ["webhook.test"]],
                as: acme.token
            )
            let webhook = try #require(made["webhook"]?["id"]?.string)
            try await Self.addDeliveries(of: webhook, mortise)
            #expect(try await api.post("/v1/workspaces/\(acme.workspaceID)/suspend", as: operatorToken).status == 200)
            // While no delivery can be deleted, no database is.
            try await Self.limitDeletions(to: 0, mortise)
            #expect(try await api.send("DELETE", path, as: operatorToken).status == 503)
            let workspaces = "control.workspaces WHERE id = '\(acme.workspaceID)' AND state = 'suspended'"
            #expect(try await Self.count(workspaces, mortise) == 1)
            try await Self.limitDeletions(to: 1000, mortise)
            #expect(try await api.send("DELETE", path, as: operatorToken).status == 204)
            #expect(try await Self.count("control.webhooks", mortise) == 0)
            #expect(try await Self.count("control.webhook_deliveries", mortise) == 0)
            #expect(try await api.get(path, as: operatorToken).status == 404)
        }
    }

    // The attack: a tenant asks for test events in a loop, and fills the table that all organizations share.
    @Test func `a webhook has a hundred test events in an hour`() async throws {
        try await withMortise { mortise in
            let (api, token) = (mortise.api, mortise.adminToken)
            let webhook = try await mortise.makeWebhook("https://a.example/", ["webhook.test"])
            let other = try await mortise.makeWebhook("https://b.example/", ["webhook.test"])
            let test = "\(webhook.path)/test"
            #expect(try await api.post(test, as: token).status == 202)
            func set(_ values: String) async throws {
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE control.webhooks SET \(values) WHERE id = '\(webhook.id)'"
                )
            }
            try await set("test_count = 99, tests_since = now() - interval '10 minutes'")
            #expect(try await api.post(test, as: token).status == 202)
            for _ in 0..<2 {
                let refused = try await api.post(test, as: token)
                #expect(refused.status == 409)
                let sentence = refused["detail"]?.string ?? ""
                #expect(sentence.hasPrefix("The webhook has had 100 test events within an hour"), "\(refused)")
                #expect(sentence.hasSuffix(" minutes."), "\(refused)")
            }
            let deliveries = try await mortise.deliveries(webhook)
            #expect(deliveries.count == 2)
            // The others are free, and so is the next hour.
            #expect(try await api.post("\(other.path)/test", as: token).status == 202)
            try await set("tests_since = now() - interval '1 hour'")
            #expect(try await api.post(test, as: token).status == 202)
        }
    }
}
