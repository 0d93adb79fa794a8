import FoundationEssentials
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

/// The times of the searches for notices, which need no webhook.
@Suite(.hangLimit) struct NoticeTimeTests {
    /// Runs a server that searches by itself.
    private static func withSearches(_ body: (ServerHarness) async throws -> Void) async throws {
        try await withMortise(configure: { $0.notices.searches = true }, body)
    }

    /// Returns the seconds between the default workspace's last search and its next one; `nil` if none is planned.
    private static func pause(_ mortise: ServerHarness) async throws -> Double? {
        let rows = try await mortise.rows(
            mortise.installation.control,
            """
            SELECT extract(epoch FROM t.due_at - t.searched_at)::float8 FROM control.notice_times t
            JOIN control.workspaces w ON w.id = t.id WHERE w.slug = 'default' AND t.searched_at > '-infinity'
            """
        )
        return try rows.first?.decode(0, as: Double.self)
    }

    /// Lets a minute pass for the searches.
    private static func passMinute(_ mortise: ServerHarness) async throws {
        try await mortise.script(
            mortise.installation.control,
            "UPDATE control.notice_times SET due_at = clock_timestamp(), searched_at = searched_at - interval '1 minute'"
        )
    }

    /// Waits for a search after which nothing is due within most of an hour.
    ///
    /// Earlier requests are noted before the second search at the latest.
    private static func settle(_ mortise: ServerHarness) async throws {
        try await eventually("the workspace is listed") {
            try await
                !mortise.rows(
                    mortise.installation.control,
                    "SELECT FROM control.notice_times t JOIN control.workspaces w ON w.id = t.id WHERE w.slug = 'default'"
                )
                .isEmpty
        }
        for _ in 0..<2 {
            try await passMinute(mortise)
            try await eventually("a search ends") { try await pause(mortise) ?? 0 > 3000 }
        }
    }

    /// Waits until a search is due a minute after the last one, and lets the minute pass.
    private static func passPause(_ mortise: ServerHarness) async throws {
        try await eventually("a search is planned") { try await pause(mortise) == 60 }
        try await passMinute(mortise)
    }

    // The fault: the search is never begun, or only for organizations with a webhook.
    @Test func `a node looks for notices a minute after a change, without a webhook`() async throws {
        try await Self.withSearches { mortise in
            _ = try await mortise.makeServiceKey("a")
            try await Self.settle(mortise)
            let end = KeyNoticeTests.end(in: .seconds(72_000))
            let key = try await KeyNoticeTests.create(mortise, "b", ["expires_at": end])
            // Changes without a pause make no searches without a pause.
            try await Self.passPause(mortise)
            try await eventually("the notice is written") { try await KeyNoticeTests.days(mortise, key.path) == [1] }
        }
    }

    // The fault: a notice that needs no change comes an hour late, or each database costs a connection each minute.
    @Test func `a quiet database is searched when a notice becomes due, and otherwise after an hour`() async throws {
        try await KeyNoticeTests.withTime { mortise, time in
            /// Searches, and returns true if the next search is some minutes later, or up to two minutes earlier on a slow machine.
            func isNext(_ minutes: Double) async throws -> Bool {
                try await mortise.searchNotices()
                let pause = try #require(try await Self.pause(mortise)) / 60
                return minutes - 2 < pause && pause < minutes + 0.5
            }
            let day = 86_400
            let key = try await KeyNoticeTests.create(
                mortise,
                "a",
                ["expires_at": KeyNoticeTests.end(in: .seconds(40 * day + 600))]
            )
            #expect(try await isNext(60))
            time.pass(.seconds(10 * day))
            #expect(try await isNext(10))
            time.pass(.seconds(660))
            #expect(try await isNext(60))
            #expect(try await KeyNoticeTests.days(mortise, key.path) == [30])
            let grace: JSONValue = ["grace_period_seconds": .integer(Int64(2 * day))]
            #expect(try await mortise.api.post("\(key.path)/rotate", grace, as: mortise.adminToken).status < 300)
            // The times of the database did not move, so its grace period ended in the test's time. Another test covers its notice.
            time.pass(.seconds(-9 * day - 1260))
            #expect(try await isNext(10))
            _ = try await mortise.makeServiceKey("unused")
            time.pass(.seconds(89 * day))
            #expect(try await isNext(10))
        }
    }

    // The fault: a search after a change takes the place of the one that would find an unused key.
    @Test func `a search for a change does not put off the search for unused keys`() async throws {
        try await Self.withSearches { mortise in
            try await Self.settle(mortise)
            try await mortise.script(
                mortise.installation.control,
                """
                UPDATE control.notice_times SET due_at = clock_timestamp(), complete_at = clock_timestamp() + interval '30 minutes'
                """
            )
            try await eventually("a search ends") {
                let pause = try await Self.pause(mortise) ?? 0
                return 1200 < pause && pause < 1801
            }
        }
    }

    /// Claims every search that is due.
    private static func claim(_ mortise: ServerHarness) async throws -> [UUID: NoticeTimes.Place] {
        var found: [UUID: NoticeTimes.Place] = [:]
        while true {
            let (places, count) = try await mortise.server.platform.databases.control.pool.withConnection {
                try await NoticeTimes(connection: $0).claim(upTo: 100, except: [])
            }
            if count == 0 { return found }
            for place in places { found[place.id] = place }
        }
    }

    private static func withTimes(_ mortise: ServerHarness, _ body: (NoticeTimes) async throws -> Void) async throws {
        try await mortise.server.platform.databases.control.pool.withConnection {
            try await body(NoticeTimes(connection: $0))
        }
    }

    // The fault: a search that a node began and never ended is not repeated, or two nodes make it.
    @Test func `one node makes each search, and another one takes over if it dies`() async throws {
        try await withMortise { mortise in
            try await Self.withTimes(mortise) { times in
                try await times.addMissing()
                try await times.requestAll()
            }
            let first = try await Self.claim(mortise)
            #expect(first.values.contains(where: \.isWorkspace) && first.values.contains { !$0.isWorkspace })
            #expect(try await Self.claim(mortise).isEmpty)
            try await mortise.script(
                mortise.installation.control,
                "UPDATE control.notice_times SET due_at = due_at - interval '2 minutes'"
            )
            let second = try await Self.claim(mortise)
            #expect(Set(second.keys) == Set(first.keys))
            // The first node lives on. The end of its search changes nothing, and that of the other one does.
            let place = try #require(first.values.first { $0.isWorkspace })
            try await Self.withTimes(mortise) { times in
                try await times.end(place, next: .seconds(3600), nextComplete: .seconds(3600))
            }
            #expect(try await Self.pause(mortise) == 120)
            let current = try #require(second[place.id])
            try await Self.withTimes(mortise) { times in
                try await times.end(current, next: .seconds(3600), nextComplete: .seconds(3600))
            }
            #expect(try await Self.pause(mortise) ?? 0 > 3000)
        }
    }

    // The fault: the end of a search with the old days takes the place of the search with the new ones.
    @Test func `what is asked for during a search is searched afterwards`() async throws {
        try await withMortise { mortise in
            try await Self.withTimes(mortise) { times in
                try await times.addMissing()
                try await times.requestAll()
            }
            let claimed = try await Self.claim(mortise)
            let place = try #require(claimed.values.first { $0.isWorkspace })
            try await Self.withTimes(mortise) { times in
                try await times.request(SearchRequests.Batch(organizations: [place.organizationID]))
                try await times.end(place, next: .seconds(3600), nextComplete: .seconds(3600))
            }
            #expect(try await Self.pause(mortise) == 60)
            try await mortise.script(
                mortise.installation.control,
                "UPDATE control.notice_times SET due_at = clock_timestamp()"
            )
            let again = try await Self.claim(mortise)
            #expect(again[place.id]?.isComplete == true)
        }
    }

    // The fault: a server that does not answer holds up the searches of all others.
    @Test func `a cluster gets half of the searches at once, and organizations one`() {
        let slots = SearchSlots()
        let (slow, other) = (UUID(), UUID())
        for _ in 0..<SearchSlots.perCluster { slots.begin(slow) }
        #expect(slots.full == [slow] && slots.rest == SearchSlots.total - SearchSlots.perCluster)
        slots.begin(SearchSlots.control)
        #expect(Set(slots.full) == [slow, SearchSlots.control])
        slots.begin(other)
        slots.end(slow)
        slots.end(SearchSlots.control)
        #expect(slots.full.isEmpty)
    }

    @Test func `new days of an organization make its searches due`() async throws {
        try await Self.withSearches { mortise in
            let end = KeyNoticeTests.end(in: .seconds(40 * 86_400))
            let key = try await KeyNoticeTests.create(mortise, "a", ["expires_at": end])
            try await Self.settle(mortise)
            #expect(try await KeyNoticeTests.days(mortise, key.path) == [])
            let days: JSONValue = ["expiry_notice_days": [50]]
            let answer = try await mortise.api.send(
                "PATCH",
                "/v1/organizations/default",
                days,
                as: mortise.operatorToken
            )
            #expect(answer.status == 200)
            try await Self.passPause(mortise)
            try await eventually("the notice is written") { try await KeyNoticeTests.days(mortise, key.path) == [50] }
        }
    }

    // The fault: only changes make a search due, and a limit is reached without one.
    @Test func `a reached limit and a use of a replaced secret make a search due`() async throws {
        try await Self.withSearches { mortise in
            let limited = try await KeyNoticeTests.create(mortise, "a", ["rate_limit_per_minute": 1])
            let rotated = try await KeyNoticeTests.create(mortise, "b")
            let grace: JSONValue = ["grace_period_seconds": 86_400]
            let answer = try await mortise.api.post("\(rotated.path)/rotate", grace, as: mortise.adminToken)
            #expect(answer.status < 300)
            try await Self.settle(mortise)
            for _ in 0..<8 { _ = try await mortise.verdict(limited.token) }
            await mortise.flushUsage()
            try await eventually("a search is planned") { try await Self.pause(mortise) == 60 }
            try await Self.settle(mortise)
            #expect(try await mortise.verdict(rotated.token) == "valid")
            await mortise.flushUsage()
            try await eventually("a search is planned") { try await Self.pause(mortise) == 60 }
        }
    }

    @Test func `a reached limit of an admin key makes a search of its organization due`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.api.post(
                "/v1/organizations/default/admin-keys",
                ["name": "a", "permissions": ["keys:read"], "rate_limit_per_minute": 1],
                as: mortise.adminToken
            )
            let token = try #require(made["token"]?.string, "\(made)")
            await mortise.server.platform.notices.noteSearches()
            try await Self.withTimes(mortise) { try await $0.requestAll() }
            let claimed = try await Self.claim(mortise)
            let organization = try #require(claimed.values.first { !$0.isWorkspace })
            try await Self.withTimes(mortise) {
                try await $0.end(organization, next: .seconds(3600), nextComplete: .seconds(3600))
            }
            var statuses: Set<Int> = []
            for _ in 0..<8 { statuses.insert(try await mortise.api.get("/v1/workspaces/default", as: token).status) }
            #expect(statuses.contains(429))
            await mortise.flushUsage()
            await mortise.server.platform.notices.noteSearches()
            let rows = try await mortise.rows(
                mortise.installation.control,
                """
                SELECT (extract(epoch FROM due_at - searched_at))::float8 FROM control.notice_times
                WHERE id = '\(UUIDv7.text(of: organization.id))'
                """
            )
            #expect(try rows.first?.decode(0, as: Double.self) == 60)
        }
    }

    @Test func `a suspended workspace is not searched, and a resumed one is`() async throws {
        try await Self.withSearches { mortise in
            let workspace = "/v1/workspaces/default"
            _ = try await mortise.makeServiceKey("a")
            try await Self.settle(mortise)
            #expect(try await mortise.api.post("\(workspace)/suspend", as: mortise.adminToken).status == 200)
            try await mortise.script(
                mortise.installation.control,
                "UPDATE control.notice_times SET due_at = clock_timestamp()"
            )
            try await eventually("the search is given up") { try await Self.pause(mortise) == nil }
            #expect(try await mortise.api.post("\(workspace)/resume", as: mortise.adminToken).status == 200)
            try await eventually("the workspace is searched") { try await Self.pause(mortise) ?? 0 > 3000 }
        }
    }
}
