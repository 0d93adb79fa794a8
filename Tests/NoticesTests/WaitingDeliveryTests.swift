import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Locks
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

@testable import Notices

/// The quota of deliveries that wait.
@Suite(.hangLimit) struct WaitingDeliveryTests {
    // The fault: a dead receiver collects deliveries without an end, or its quota takes events from the others.
    @Test func `events beyond the quota are listed with the reason, and can be sent by hand`() async throws {
        try await ScriptedServer.with { _ in
            .answer(500, "no")
        } _: { bad in
            try await ScriptedServer.with { _ in
                .json("{}")
            } _: { good in
                try await withMortise(configure: {
                    try? $0.allowLoopback()
                    // Two for each of the two webhooks.
                    $0.quotas.waitingDeliveriesPerOrganization = 4
                }) { mortise in
                    let failing = try await mortise.makeWebhook(bad.url, ["key.created"])
                    let sound = try await mortise.makeWebhook(good.url, ["key.created"])
                    for index in 1...4 {
                        _ = try await mortise.makeServiceKey("k\(index)")
                        // The next event finds no delivery of the sound webhook that waits.
                        try await eventually("the sound receiver's delivery is recorded") {
                            let deliveries = try await mortise.deliveries(sound)
                            return deliveries.count == index
                                && deliveries.allSatisfy { $0["next_attempt_at"]?.isNull == true }
                        }
                    }
                    #expect(good.requests.count == 4)
                    let deliveries = try await mortise.deliveries(failing)
                    #expect(deliveries.count == 4)
                    let refused = deliveries.filter { Self.reason(of: $0)?.hasPrefix("not sent: 2 deliveries") == true }
                    #expect(refused.count == 2)
                    #expect(refused.allSatisfy { $0["next_attempt_at"]?.isNull == true })
                    // The newest ones are first in the list.
                    let refusedIDs = refused.compactMap { $0["id"]?.string }
                    let newestIDs = deliveries.prefix(2).compactMap { $0["id"]?.string }
                    #expect(refusedIDs == newestIDs)
                    // The node counts them after it has written them.
                    try await eventually("the refused deliveries are counted") {
                        mortise.server.platform.notices.figures.refusedDeliveries == 2
                    }
                    // An attempt by hand sends it.
                    let newest = try #require(deliveries.first)
                    let id = try #require(newest["id"]?.string)
                    let event = try #require(newest["event_id"]?.string)
                    let before = Set(bad.requests.compactMap(\.id))
                    #expect(!before.contains(event))
                    let retry = "\(failing.path)/deliveries/\(id)/retry"
                    #expect(try await mortise.api.post(retry, as: mortise.adminToken).status == 202)
                    let attempts = try await mortise.attempts(failing, 2)
                    #expect(attempts.first?["status_code"]?.isNull == true)
                    #expect(attempts[1]["status_code"] == 500)
                    let after = Set(bad.requests.compactMap(\.id))
                    #expect(after.contains(event))
                }
            }
        }
    }

    // The fault: a count of a million rows that takes longer than the deadline stops all events of the organization.
    @Test func `a count that is not made in time holds up no event`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { good in
            try await withMortise(configure: {
                try? $0.allowLoopback()
                $0.notices.countDeadline = .milliseconds(200)
            }) { mortise in
                _ = try await mortise.makeWebhook(good.url, ["key.created"])
                try await mortise.withConnection(mortise.installation.control) { person in
                    try await person.script("BEGIN; LOCK TABLE control.webhook_deliveries")
                    _ = try await mortise.makeServiceKey("one")
                    try await eventually("the count is given up") {
                        mortise.log.lines.contains {
                            $0.message == "the deliveries of webhooks that wait could not be counted in time"
                        }
                    }
                    try await person.script("COMMIT")
                }
                try await eventually("the event is delivered") { good.requests.count == 1 }
            }
        }
    }

    private static func reason(of delivery: JSONValue) -> String? {
        delivery["attempts"]?.array?.first?["error"]?.string
    }

    @Test func `a webhook is counted at first, after a tenth of its part, and again while the part is used up`() {
        let waiting = WaitingDeliveries()
        let (webhook, part, start) = (UUID(), 20, ContinuousClock.now)
        #expect(waiting.uncounted([webhook], part: part, at: start) == [webhook])
        waiting.set([webhook: 16], at: start)
        #expect(waiting.uncounted([webhook], part: part, at: start).isEmpty)
        for _ in 0..<2 { #expect(waiting.add(webhook, part: part)) }
        #expect(waiting.uncounted([webhook], part: part, at: start) == [webhook])
        // A number that can be too high is corrected at once.
        for _ in 0..<2 { #expect(waiting.add(webhook, part: part)) }
        #expect(!waiting.add(webhook, part: part))
        #expect(waiting.uncounted([webhook], part: part, at: start) == [webhook])
        waiting.set([webhook: 20], at: start)
        #expect(!waiting.add(webhook, part: part))
        #expect(waiting.uncounted([webhook], part: part, at: start).isEmpty)
        let later = start + WaitingDeliveries.repetition
        #expect(waiting.uncounted([webhook], part: part, at: later) == [webhook])
        waiting.set([webhook: 5], at: later)
        #expect(waiting.add(webhook, part: part))
        // Of very many webhooks the numbers are forgotten.
        var others: [UUID: Int] = [:]
        for _ in 0..<WaitingDeliveries.mostWebhooks { others[UUID()] = 1 }
        waiting.set(others, at: later)
        #expect(waiting.uncounted([webhook], part: part, at: later) == [webhook])
    }
}
