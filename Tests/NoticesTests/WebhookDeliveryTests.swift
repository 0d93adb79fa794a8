import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Locks
import Notices
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

@Suite(.hangLimit) struct WebhookDeliveryTests {
    @Test func `the events of a key reach the receiver, signed and in their order, without the token`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let webhook = try await mortise.makeWebhook("\(receiver.url)/hook?x=1", ["key.*"])
                let key = try await mortise.makeServiceKey("orders")
                for call in ["disable", "enable", "revoke"] {
                    #expect(try await mortise.api.post("\(key.path)/\(call)", as: mortise.adminToken).status == 200)
                }
                #expect(try await mortise.api.send("DELETE", key.path, as: mortise.adminToken).status == 204)
                let types = ["key.created", "key.disabled", "key.enabled", "key.revoked", "key.deleted"]
                try await eventually("all events arrive") { receiver.requests.count >= types.count }
                let requests = receiver.requests
                #expect(requests.map(\.type) == types)
                #expect(Set(requests.map(\.id)).count == types.count)
                var sequence: Double = 0
                for request in requests {
                    #expect(request.method == "POST" && request.uri == "/hook?x=1")
                    #expect(try webhook.verifies(request), "\(request)")
                    let body = key.token.dropFirst(9)
                    #expect(!request.body.contains(body.prefix(20)))
                    let next = try #require(request.json["data"]?["sequence"]?.number?.double)
                    #expect(next > sequence)
                    sequence = next
                    #expect(request.json["data"]?["key"]?["name"] == "orders")
                    #expect(request.json["data"]?["actor"]?.string?.hasPrefix("admin-key:") == true)
                }
                #expect(requests.last?.json["data"]?["key"]?["status"] == "deleted")
                // An attempt is recorded after its answer.
                try await eventually("no delivery waits for an attempt") {
                    let deliveries = try await mortise.deliveries(webhook)
                    return deliveries.count == types.count
                        && deliveries.allSatisfy { $0["next_attempt_at"]?.isNull == true }
                }
                let shown = try await mortise.api.get(webhook.path, as: mortise.adminToken)
                #expect(shown["last_delivery_at"]?.string != nil)
                #expect(!shown.text.contains(webhook.secret))
            }
        }
    }

    @Test func `a receiver that fails gets the same event again on schedule, nine times in all`() async throws {
        let time = TestTime()
        let isFirst = Locked(true)
        try await ScriptedServer.with { _ in
            // The clock of the schedule goes back by a minute, so that the second attempt does not follow by itself.
            let goesBack = isFirst.withLock { first in
                defer { first = false }
                return first
            }
            if goesBack { time.pass(.seconds(-60)) }
            return .answer(500, "no")
        } _: { receiver in
            try await withMortise(configure: {
                try? $0.allowLoopback()
                $0.notices.shift = { time.shift }
            }) { mortise in
                let webhook = try await mortise.makeWebhook(receiver.url, ["key.created"])
                _ = try await mortise.makeServiceKey("a")
                // The first pauses are 5 s, almost 5 minutes and 25 minutes.
                let pauses: [Duration] = [
                    .zero, .seconds(68), .seconds(400), .seconds(2000), .seconds(7000), .seconds(14_000),
                    .seconds(23_000), .seconds(62_000), .seconds(30_000),
                ]
                for (index, pause) in pauses.enumerated() {
                    time.pass(pause)
                    let attempts = try await mortise.attempts(webhook, index + 1)
                    #expect(attempts.count == index + 1)
                    #expect(attempts.last?["status_code"] == 500 && attempts.last?["response"] == "no")
                }
                let delivery = try #require(try await mortise.deliveries(webhook).first)
                #expect(delivery["next_attempt_at"]?.isNull == true)
                #expect(Set(receiver.requests.map(\.id)).count == 1)
                // An attempt by hand is possible afterwards.
                let id = try #require(delivery["id"]?.string)
                let retry = "\(webhook.path)/deliveries/\(id)/retry"
                #expect(try await mortise.api.post(retry, as: mortise.adminToken).status == 202)
                #expect(try await mortise.attempts(webhook, 10).count == 10)
                // The list of deliveries has all attempts, so their number has an end.
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE control.webhook_deliveries SET attempt_count = 100"
                )
                #expect(try await mortise.api.post(retry, as: mortise.adminToken).status == 409)
            }
        }
    }

    @Test func `410 ends a delivery`() async throws {
        try await ScriptedServer.with { _ in
            .answer(410, "")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let webhook = try await mortise.makeWebhook(receiver.url, ["key.created"])
                _ = try await mortise.makeServiceKey("a")
                #expect(try await mortise.attempts(webhook, 1).count == 1)
                #expect(try await mortise.deliveries(webhook).first?["next_attempt_at"]?.isNull == true)
            }
        }
    }

    @Test func `a webhook that fails for five days is disabled, with an event`() async throws {
        let time = TestTime()
        try await ScriptedServer.with { _ in
            .hangUp
        } _: { receiver in
            try await withMortise(configure: {
                try? $0.allowLoopback()
                $0.notices.shift = { time.shift }
            }) { mortise in
                let webhook = try await mortise.makeWebhook(receiver.url, ["key.created"])
                _ = try await mortise.makeServiceKey("a")
                _ = try await mortise.attempts(webhook, 1)
                time.pass(.seconds(5 * 86_400 + 1))
                try await eventually("the webhook is disabled") {
                    try await mortise.api.get(webhook.path, as: mortise.adminToken)["enabled"] == false
                }
                let events = try await mortise.api.get(
                    "/v1/organizations/default/events?type=webhook.disabled",
                    as: mortise.adminToken
                )
                #expect(events["data"]?.array?.count == 1)
                #expect(events["data"]?.array?.first?["actor"] == "system")
                #expect(try await mortise.api.post("\(webhook.path)/test", as: mortise.adminToken).status == 409)
                let enabled = try await mortise.api.post("\(webhook.path)/enable", as: mortise.adminToken)
                #expect(enabled["enabled"] == true && enabled["disabled_reason"]?.isNull == true)
            }
        }
    }

    @Test func `after a rotation both secrets sign, and after the overlap the new one alone`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let webhook = try await mortise.makeWebhook(receiver.url, ["key.revoked"])
                let rotated = try await mortise.api.post("\(webhook.path)/rotate-secret", as: mortise.adminToken)
                let secret = try #require(rotated["secret"]?.string)
                #expect(secret != webhook.secret && secret.hasPrefix("whsec_"))
                func test() async throws -> SeenRequest {
                    let answer = try await mortise.api.post("\(webhook.path)/test", as: mortise.adminToken)
                    #expect(answer.status == 202)
                    return try #require(await receiver.nextRequest())
                }
                let both = try await test()
                #expect(both.type == "webhook.test")
                #expect(try webhook.verifies(both) && webhook.verifies(both, with: secret))
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE control.webhooks SET old_secret_ends_at = now() - interval '1 second'"
                )
                let one = try await test()
                #expect(try !webhook.verifies(one) && webhook.verifies(one, with: secret))
                // The database has neither of them.
                let rows = try await mortise.rows(
                    mortise.installation.control,
                    "SELECT row_to_json(w)::text FROM control.webhooks w"
                )
                let row = try #require(rows.first).decode(0, as: String.self)
                #expect(!row.contains(secret.dropFirst(6)) && !row.contains(webhook.secret.dropFirst(6)))
            }
        }
    }

    // The attack: a receiver answers 10 MB, a redirect to the inside, never, or a byte at a time.
    @Test func `of an answer only a KiB is kept, and a redirect is not followed`() async throws {
        let huge = String(repeating: "x", count: 10 << 20)
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { inside in
            let target = inside.url
            let script: @Sendable (SeenRequest) -> Reply = { request in
                switch request.uri {
                case "/huge": .answer(200, huge)
                case "/redirect": .answer(302, "", headers: [("Location", target)])
                case "/drip": .drip
                default: .silence
                }
            }
            try await ScriptedServer.with(script) { receiver in
                try await withMortise(configure: {
                    try? $0.allowLoopback()
                    $0.notices.attemptDeadline = .seconds(5)
                }) { mortise in
                    let paths = ["huge", "redirect", "drip", "silence"]
                    var webhooks: [String: TestWebhook] = [:]
                    for path in paths {
                        webhooks[path] = try await mortise.makeWebhook("\(receiver.url)/\(path)", ["key.created"])
                    }
                    _ = try await mortise.makeServiceKey("a")
                    var first: [String: JSONValue] = [:]
                    for path in ["drip", "silence"] {
                        first[path] = try await mortise.attempts(try #require(webhooks[path]), 1).first
                    }
                    for path in ["huge", "redirect"] {
                        let webhook = try #require(webhooks[path])
                        // The first attempt of a busy machine can end before its answer.
                        try await eventually("an attempt has an answer") {
                            let attempts = try await mortise.deliveries(webhook).first?["attempts"]?.array ?? []
                            first[path] = attempts.first { $0["status_code"]?.isNull == false }
                            return first[path] != nil
                        }
                    }
                    #expect(first["huge"]?["response"]?.string?.utf8.count == 1024)
                    #expect(first["huge"]?["status_code"] == 200)
                    #expect(first["redirect"]?["status_code"] == 302)
                    #expect(first["redirect"]?["error"]?.string?.contains("not followed") == true)
                    for path in ["drip", "silence"] {
                        #expect(first[path]?["status_code"]?.isNull == true)
                        #expect(first[path]?["error"]?.string?.contains("no complete answer") == true)
                    }
                    #expect(inside.requests.isEmpty)
                }
            }
        }
    }

    // The fault: one receiver never answers, and has many events to receive.
    @Test func `a receiver that never answers holds up no other`() async throws {
        try await ScriptedServer.with { _ in
            .silence
        } _: { silent in
            try await ScriptedServer.with { _ in
                .json("{}")
            } _: { good in
                try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                    for path in ["a", "b", "c"] { _ = try await mortise.makeWebhook("\(silent.url)/\(path)") }
                    for index in 0..<30 { _ = try await mortise.makeServiceKey("slow-\(index)") }
                    try await eventually("the silent receiver is asked") { silent.requests.count >= 8 }
                    // As many deliveries wait for the silent receiver as three webhooks have events.
                    let waiting = 90
                    // Another webhook of the same organization.
                    let near = try await mortise.makeWebhook(good.url)
                    #expect(try await mortise.api.post("\(near.path)/test", as: mortise.adminToken).status == 202)
                    try await eventually("the good receiver of the same organization is served") {
                        good.requests.contains { $0.type == "webhook.test" }
                    }
                    #expect(silent.requests.count < waiting)
                    // Another organization.
                    let other = try await mortise.api.post(
                        "/v1/organizations",
                        ["name": "Other"],
                        as: mortise.operatorToken
                    )
                    let token = try #require(other["token"]?.string)
                    let path = "/v1/organizations/other/webhooks"
                    let webhook = try await mortise.api.post(
                        path,
                        ["url": .string(good.url), "event_types": ["*"]],
                        as: token
                    )
                    let id = try #require(webhook["webhook"]?["id"]?.string)
                    #expect(try await mortise.api.post("\(path)/\(id)/test", as: token).status == 202)
                    try await eventually("the good receiver is served") {
                        good.requests.count { $0.type == "webhook.test" } == 2
                    }
                    #expect(silent.requests.count < waiting)
                }
            }
        }
    }

    // The fault: a claim reads all events of a key, or considers those alone that wait for another one.
    @Test func `a key with very many events is served in their order`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let webhook = try await mortise.makeWebhook(receiver.url, ["webhook.test"])
                try await mortise.script(
                    mortise.installation.control,
                    """
                    INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body,
                        next_attempt_at)
                    SELECT gen_random_uuid(), '\(webhook.id)', gen_random_uuid(), 'key.updated', '\(webhook.id)', n,
                        '{"n":' || n || '}', clock_timestamp()
                    FROM generate_series(1, 20000) n
                    """
                )
                let count = 20
                try await eventually("some events arrive") { receiver.requests.count >= count }
                let numbers = receiver.requests.prefix(count).compactMap { $0.json["n"]?.number?.double }
                #expect(numbers == (1...count).map { Double($0) })
            }
        }
    }

    // The fault: two nodes claim the same attempt.
    @Test func `of several nodes one makes each attempt`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withInstallation { installation in
                try await withMortise(of: installation, configure: { try? $0.allowLoopback() }) { one in
                    try await withMortise(of: installation, configure: { try? $0.allowLoopback() }) { two in
                        let webhook = try await one.makeWebhook(receiver.url, ["key.created"])
                        let keys = 40
                        try await withThrowingTaskGroup { group in
                            for index in 0..<keys {
                                let node = index.isMultiple(of: 2) ? one : two
                                group.addTask {
                                    _ = try await node.api.post(
                                        "/v1/workspaces/default/service-keys",
                                        ["name": .string("k\(index)")],
                                        as: one.adminToken
                                    )
                                }
                            }
                            try await group.waitForAll()
                        }
                        try await eventually("all events arrive") { receiver.requests.count >= keys }
                        try await eventually("all attempts are recorded") {
                            try await one.deliveries(webhook).allSatisfy { $0["attempts"]?.array?.isEmpty == false }
                        }
                        #expect(receiver.requests.count == keys)
                        #expect(Set(receiver.requests.map(\.id)).count == keys)
                    }
                }
            }
        }
    }
}
