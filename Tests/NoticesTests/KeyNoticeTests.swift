import FoundationEssentials
import HTTPTestSupport
import JSON
import Keys
import Notices
import Server
import ServerTestSupport
import TestSupport
import Testing

/// Notices before it is too late: ends, grace periods, keys without use, and limits.
@Suite(.hangLimit) struct KeyNoticeTests {
    static let keys = "/v1/workspaces/default/service-keys"

    static func create(
        _ mortise: ServerHarness,
        _ name: String,
        _ more: [String: JSONValue] = [:]
    ) async throws -> (path: String, token: String) {
        var body = JSONObject()
        body["name"] = .string(name)
        for (member, value) in more { body[member] = value }
        let answer = try await mortise.api.post(keys, .object(body), as: mortise.adminToken)
        try #require(answer.status == 201, "\(answer)")
        return ("\(keys)/\(try #require(answer["key"]?["id"]?.string))", try #require(answer["token"]?.string))
    }

    /// Returns an instant of the future.
    static func end(in time: Duration) -> JSONValue {
        let now = Timestamp(microsecondsSinceUnixEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
        return .string((now + time).rfc3339)
    }

    /// Returns the notices of a type about a key, newest first.
    static func notices(_ mortise: ServerHarness, _ path: String, _ type: String) async throws -> [JSONValue] {
        let answer = try await mortise.api.get("\(path)/events?type=\(type)", as: mortise.adminToken)
        return try #require(answer["data"]?.array).map { $0["changes"] ?? .null }
    }

    static func days(_ mortise: ServerHarness, _ path: String) async throws -> [JSONValue] {
        try await notices(mortise, path, "expiring").map { $0["days"] ?? .null }
    }

    /// Runs a server that searches for notices only when the test asks for it, with a time that the test moves.
    static func withTime(_ body: (ServerHarness, TestTime) async throws -> Void) async throws {
        let time = TestTime()
        try await withMortise(configure: { configuration in
            try? configuration.allowLoopback()
            configuration.notices.shift = { time.shift }
        }) { try await body($0, time) }
    }

    // The fault: a key ends in production, and nobody was told.
    @Test func `the end of a key has a notice 30, 7 and 1 days before, each once`() async throws {
        try await Self.withTime { mortise, time in
            let end = Self.end(in: .seconds(40 * 86_400))
            let key = try await Self.create(mortise, "a", ["expires_at": end])
            let never = try await Self.create(mortise, "b")
            var expected: [JSONValue] = []
            for (pass, days) in [(0, nil), (11, 30), (10, nil), (13, 7), (5, 1)] as [(Int, JSONValue?)] {
                time.pass(.seconds(pass * 86_400))
                for _ in 0..<2 { try await mortise.searchNotices() }
                if let days { expected.insert(days, at: 0) }
                #expect(try await Self.days(mortise, key.path) == expected)
            }
            #expect(try await Self.days(mortise, never.path) == [])
            // Another end is another matter.
            let later = Self.end(in: .seconds(60 * 86_400))
            _ = try await mortise.api.send("PATCH", key.path, ["expires_at": later], as: mortise.adminToken)
            try await mortise.searchNotices()
            #expect(try await Self.days(mortise, key.path) == [30] + expected)
        }
    }

    // The fault: a key that was made with a day to live gets the notices of a month.
    @Test func `a key with 20 hours left has one notice, and one that is disabled or revoked has none`() async throws {
        try await Self.withTime { mortise, _ in
            let end = Self.end(in: .seconds(72_000))
            let key = try await Self.create(mortise, "a", ["expires_at": end])
            let disabled = try await Self.create(mortise, "b", ["expires_at": end])
            _ = try await mortise.api.post("\(disabled.path)/disable", as: mortise.adminToken)
            let revoked = try await Self.create(mortise, "c", ["expires_at": end])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            for _ in 0..<3 { try await mortise.searchNotices() }
            #expect(try await Self.days(mortise, key.path) == [1])
            #expect(try await Self.days(mortise, disabled.path) == [])
            #expect(try await Self.days(mortise, revoked.path) == [])
        }
    }

    @Test func `an organization chooses the days, and an empty list turns the notices off`() async throws {
        try await Self.withTime { mortise, time in
            let path = "/v1/organizations/default"
            let chosen = try await mortise.api.send(
                "PATCH",
                path,
                ["expiry_notice_days": [3, 14], "unused_after_days": 10],
                as: mortise.operatorToken
            )
            #expect(chosen["expiry_notice_days"] == [3, 14] && chosen["unused_after_days"] == 10)
            for wrong in [["expiry_notice_days": [0]], ["expiry_notice_days": [5, 5]], ["unused_after_days": -1]]
                as [JSONValue]
            {
                #expect(try await mortise.api.send("PATCH", path, wrong, as: mortise.operatorToken).status == 400)
            }
            let end = Self.end(in: .seconds(12 * 86_400))
            let key = try await Self.create(mortise, "a", ["expires_at": end])
            try await mortise.searchNotices()
            #expect(try await Self.days(mortise, key.path) == [14])
            #expect(try await Self.notices(mortise, key.path, "unused").isEmpty)
            time.pass(.seconds(11 * 86_400))
            try await mortise.searchNotices()
            #expect(try await Self.days(mortise, key.path) == [3, 14])
            #expect(try await Self.notices(mortise, key.path, "unused").count == 1)
            let off: JSONValue = ["expiry_notice_days": [], "unused_after_days": 0]
            _ = try await mortise.api.send("PATCH", path, off, as: mortise.operatorToken)
            let quiet = try await Self.create(mortise, "b", ["expires_at": end])
            time.pass(.seconds(86_400 / 2))
            try await mortise.searchNotices()
            #expect(try await Self.days(mortise, quiet.path) == [])
            let reset: JSONValue = ["expiry_notice_days": .null, "unused_after_days": .null]
            let standard = try await mortise.api.send("PATCH", path, reset, as: mortise.operatorToken)
            #expect(standard["expiry_notice_days"] == .null && standard["unused_after_days"] == .null)
        }
    }

    // The fault: a rotated token is still deployed somewhere, and stops at the end of its grace period.
    @Test func `an old secret that is still used has a notice a day before its end, and an unused one has none`()
        async throws
    {
        try await Self.withTime { mortise, time in
            let used = try await Self.create(mortise, "a")
            let idle = try await Self.create(mortise, "b")
            for key in [used, idle] {
                let grace: JSONValue = ["grace_period_seconds": 172_800]
                let answer = try await mortise.api.post("\(key.path)/rotate", grace, as: mortise.adminToken)
                try #require(answer.status == 200 || answer.status == 201, "\(answer)")
            }
            #expect(try await mortise.verdict(used.token) == "valid")
            await mortise.flushUsage()
            try await mortise.searchNotices()
            #expect(try await Self.notices(mortise, used.path, "grace_ending").isEmpty)
            time.pass(.seconds(90_000))
            for _ in 0..<2 { try await mortise.searchNotices() }
            #expect(try await Self.notices(mortise, used.path, "grace_ending").count == 1)
            #expect(try await Self.notices(mortise, idle.path, "grace_ending").isEmpty)
        }
    }

    @Test func `a key that is not used for 90 days has one notice until it is used again`() async throws {
        try await Self.withTime { mortise, time in
            let key = try await Self.create(mortise, "a")
            time.pass(.seconds(89 * 86_400))
            try await mortise.searchNotices()
            #expect(try await Self.notices(mortise, key.path, "unused").isEmpty)
            time.pass(.seconds(2 * 86_400))
            for _ in 0..<2 { try await mortise.searchNotices() }
            #expect(try await Self.notices(mortise, key.path, "unused").count == 1)
            time.pass(.seconds(200 * 86_400))
            try await mortise.searchNotices()
            #expect(try await Self.notices(mortise, key.path, "unused").count == 1)
            #expect(try await mortise.verdict(key.token) == "valid")
            await mortise.flushUsage()
            try await mortise.searchNotices()
            #expect(try await Self.notices(mortise, key.path, "unused").count == 2)
        }
    }

    @Test func `a key that reaches its limit has one notice in the hour`() async throws {
        try await Self.withTime { mortise, _ in
            let key = try await Self.create(mortise, "a", ["rate_limit_per_minute": 1])
            var codes: Set<String> = []
            for _ in 0..<8 { codes.insert(try await mortise.verdict(key.token)) }
            #expect(codes.contains("rate_limited"))
            await mortise.flushUsage()
            for _ in 0..<2 { try await mortise.searchNotices() }
            let count = try await Self.notices(mortise, key.path, "limit_reached").count
            #expect(count == 1)
        }
    }

    // The fault: every node finds the same key in the same minute.
    @Test func `a notice is delivered once, whatever the number of nodes that search`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withInstallation { installation in
                try await withMortise(of: installation, configure: { try? $0.allowLoopback() }) { one in
                    try await withMortise(of: installation, configure: { try? $0.allowLoopback() }) { two in
                        let webhook = try await one.makeWebhook(receiver.url, ["key.expiring", "webhook.test"])
                        let end = Self.end(in: .seconds(5 * 86_400))
                        let count = 20
                        for index in 0..<count { _ = try await Self.create(one, "k\(index)", ["expires_at": end]) }
                        try await withThrowingTaskGroup { group in
                            for _ in 0..<4 {
                                for node in [one, two] { group.addTask { try await node.searchNotices() } }
                            }
                            try await group.waitForAll()
                        }
                        try await eventually("all notices arrive") { receiver.requests.count >= count }
                        // A test that is asked for now comes after every notice that was found twice.
                        _ = try await one.api.post("\(webhook.path)/test", as: one.adminToken)
                        try await eventually("the test arrives") {
                            receiver.requests.contains { $0.type == "webhook.test" }
                        }
                        let notices = receiver.requests.filter { $0.type == "key.expiring" }
                        #expect(notices.count == count && Set(notices.compactMap(\.id)).count == count)
                        let data = try #require(notices.first?.json["data"])
                        #expect(data["changes"]?["days"] == 7 && data["actor"] == "system")
                        #expect(data["key"]?["status"] == "active")
                    }
                }
            }
        }
    }
}
