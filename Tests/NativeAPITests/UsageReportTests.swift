import JSON
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing
import Verification

/// Reports of the verifications of a key and of a workspace.
@Suite(.hangLimit) struct UsageReportTests {
    private static let workspace = "/v1/workspaces/default/usage"

    /// Returns the rows of a report as texts, of all pages.
    private func rows(
        _ mortise: ServerHarness,
        _ path: String,
        _ query: String,
        limit: Int = 100
    ) async throws -> [String] {
        var rows: [String] = []
        var cursor = ""
        repeat {
            let answer = try await mortise.api.get("\(path)?\(query)&limit=\(limit)\(cursor)", as: mortise.adminToken)
            try #require(answer.status == 200, "\(answer)")
            for row in answer["data"]?.array ?? [] {
                #expect(row.object?.members.map(\.name).contains("count") == true)
                rows.append(
                    (row.object?.members ?? []).map { "\($0.value.string ?? $0.value.text)" }.joined(separator: " ")
                )
            }
            cursor = answer["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        return rows
    }

    private static func counts(_ rows: [String]) -> [String] {
        rows.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
    }

    @Test func `every verdict of a genuine key is counted, for the key and for its workspace`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey("first")
            let client = try await mortise.makeClientKey("second")
            for _ in 0..<3 { #expect(try await mortise.verdict(key.token) == "valid") }
            #expect(try await mortise.verdict(key.token, ["mode": "test"]) == "wrong_mode")
            #expect(try await mortise.verdict(client.token) == "valid")
            _ = try await mortise.api.post("\(key.path)/revoke", as: mortise.adminToken)
            for _ in 0..<2 { #expect(try await mortise.verdict(key.token) == "revoked") }
            #expect(try await mortise.verdict("mks_live_junk") == "malformed")
            await mortise.server.platform.usage.flush()
            // The steps are days, so that no hour ends in the middle of the test. Days can: then there are more rows.
            for step in ["minute", "hour", "day"] {
                let sums = try await sums(mortise, "\(key.path)/usage", "step=\(step)&group_by=code")
                #expect(sums == ["valid": 3, "wrong_mode": 1, "revoked": 2], "\(step)")
                let keys = try await self.sums(mortise, Self.workspace, "step=\(step)&group_by=key")
                #expect(keys == [key.id: 6, client.id: 1], "\(step)")
                #expect(try await self.sums(mortise, Self.workspace, "step=\(step)") == ["": 7])
                let both = try await self.sums(mortise, Self.workspace, "step=\(step)&group_by=code,key")
                #expect(both["valid \(client.id)"] == 1 && both["revoked \(key.id)"] == 2)
            }
        }
    }

    /// Returns the sum of the counts by the members between the first and the last.
    private func sums(_ mortise: ServerHarness, _ path: String, _ query: String) async throws -> [String: Int] {
        var sums: [String: Int] = [:]
        for row in try await rows(mortise, path, query) {
            let members = row.split(separator: " ")
            sums[members.dropFirst().dropLast().joined(separator: " "), default: 0] += Int(members.last ?? "") ?? 0
        }
        return sums
    }

    // The sessions of this database have a time zone with an offset of half an hour.
    @Test func `steps begin at full hours and days in UTC, and the first step is whole`() async throws {
        try await withMortise { mortise in
            let name = try #require(try await mortise.workspaceDatabase().database)
            try await administer("ALTER DATABASE \"\(name)\" SET timezone = 'Asia/Kolkata'")
            let key = try await mortise.makeKey()
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_usage_hourly VALUES
                    ('\(key.id)', date_trunc('day', now(), 'UTC') - interval '25 hours', 'valid', 1),
                    ('\(key.id)', date_trunc('day', now(), 'UTC') - interval '24 hours', 'valid', 2),
                    ('\(key.id)', date_trunc('day', now(), 'UTC') - interval '1 hour', 'expired', 4),
                    ('\(key.id)', date_trunc('day', now(), 'UTC'), 'valid', 8)
                """
            )
            let day = try await mortise
                .rows(
                    try await mortise.workspaceDatabase(),
                    "SELECT to_char(date_trunc('day', now(), 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
                )
                .first?
                .decode(0, as: String.self)
            let today = try #require(day)
            // The bound lies in the middle of yesterday's last hour, whose row is complete all the same.
            let path = "\(key.path)/usage"
            let last = try await rows(
                mortise,
                path,
                "step=hour&since=\(try yesterday(today))T23:30:00Z&until=\(today)T00:00:01Z"
            )
            #expect(Self.counts(last) == ["4", "8"])
            let days = try await rows(mortise, path, "step=day&since=\(try yesterday(today))T23:30:00Z")
            #expect(Self.counts(days) == ["6", "8"])
            #expect(days.allSatisfy { $0.contains("T00:00:00") })
            let excluded = try await rows(
                mortise,
                path,
                "step=hour&since=\(try yesterday(today))T23:30:00Z&until=\(today)T00:00:00Z"
            )
            #expect(Self.counts(excluded) == ["4"])
        }
    }

    /// Returns the day before a day.
    private func yesterday(_ day: String) throws -> String {
        let time = try #require(Timestamp(rfc3339: "\(day)T00:00:00Z"))
        return String((time - .seconds(1)).rfc3339.prefix(10))
    }

    @Test func `pages of one row are the whole report, for each step and grouping`() async throws {
        try await withMortise { mortise in
            let keys = [try await mortise.makeKey("a"), try await mortise.makeKey("b")]
            for key in keys {
                try await mortise.inWorkspace(
                    """
                    INSERT INTO auth.key_usage_hourly
                    SELECT '\(key.id)', date_trunc('hour', now(), 'UTC') - n * interval '1 hour', code, 5 + n, '[57:59]={5,NULL,1}'
                    FROM generate_series(1, 3) n, unnest(ARRAY['valid', 'expired', 'rate_limited']) code
                    """
                )
            }
            for step in ["minute", "hour", "day"] {
                for grouping in ["", "&group_by=code", "&group_by=key", "&group_by=code,key"] {
                    for path in [Self.workspace, "\(keys[0].path)/usage"] {
                        let whole = try await rows(mortise, path, "step=\(step)\(grouping)")
                        #expect(!whole.isEmpty)
                        #expect(try await rows(mortise, path, "step=\(step)\(grouping)", limit: 1) == whole)
                        #expect(whole.map { String($0.prefix(20)) } == whole.map { String($0.prefix(20)) }.sorted())
                    }
                }
            }
        }
    }

    @Test func `an interval that is not kept, one that is empty, and a cursor of another list are refused`()
        async throws
    {
        try await withMortise { mortise in
            while true {
                let (now, wrong) = try await wrongAnswers(mortise)
                // The oldest step that is kept can end meanwhile, at the end of a minute.
                if !wrong.isEmpty, try await mortise.databaseTime().minute != now.minute { continue }
                #expect(wrong == [])
                break
            }
            let since = (try await mortise.databaseTime() - .seconds(49 * 3600)).rfc3339
            let late = try await mortise.api.get(
                "\(Self.workspace)?step=minute&since=\(since)",
                as: mortise.adminToken
            )
            #expect(late["detail"]?.string?.contains("within the last 48 hours") == true, "\(late)")
        }
    }

    /// Sends queries with bounds that are computed from the present, and returns the present and the queries with a wrong answer.
    private func wrongAnswers(_ mortise: ServerHarness) async throws -> (now: Timestamp, wrong: [String]) {
        let now = try await mortise.databaseTime()
        func time(_ seconds: Int) -> String { (now - .seconds(seconds)).rfc3339 }
        var wrong: [String] = []
        for (query, isAccepted) in [
            ("step=minute&since=\(time(48 * 3600))", true), ("step=minute&since=\(time(48 * 3600 + 120))", false),
            ("step=hour&since=\(time(400 * 86_400))", true),
            ("step=hour&since=\(time(400 * 86_400 + 7200))", false),
            ("step=day&since=\(time(400 * 86_400))", true), ("step=day&since=\(time(402 * 86_400))", false),
            ("since=\(time(60))&until=\(time(61))", false), ("since=\(time(60))&until=\(time(60))", false),
            ("since=\(time(-86_400))", false), ("until=\(time(-86_400))", true),
            ("step=week", false), ("group_by=subject", false), ("group_by=", false), ("limit=101", false),
            ("cursor=x", false), ("group_by=code,key&cursor=0.valid.\(Sample.id)", true),
            ("group_by=code,key&cursor=0.junk.\(Sample.id)", false),
            // Cursors of a report with other rows or other steps: an empty page would look like no use.
            ("cursor=0.valid.\(Sample.id)", false), ("group_by=code&cursor=0.valid.\(Sample.id)", false),
            ("step=minute&cursor=6y222o..\(Sample.none)", true), ("step=hour&cursor=6y222o..\(Sample.none)", false),
        ] {
            let answer = try await mortise.api.get("\(Self.workspace)?\(query)", as: mortise.adminToken)
            if answer.status != (isAccepted ? 200 : 400) { wrong.append("\(query): \(answer)") }
        }
        return (now, wrong)
    }

    private enum Sample {
        static let id = "0198c0de-0000-7000-8000-00000000abcd"
        static let none = "00000000-0000-0000-0000-000000000000"
    }

    // The attack: a caller reads the traffic of a key that the caller cannot read.
    @Test func `the usage of a key is shown to those who can read the key, and to nobody else`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let service = try await mortise.makeKey("service")
            let client = try await mortise.makeClientKey("client", subject: "somebody")
            let member = try await mortise.addMember("ada@example.org", "member")
            let session = try await mortise.signIn("ada@example.org").access
            let own = try await mortise.makeClientKey("own", subject: member.userID)
            #expect(try await api.get("\(own.path)/usage", as: session).status == 200)
            #expect(try await api.get("\(client.path)/usage", as: session).status == 404)
            #expect(try await api.get("\(service.path)/usage", as: session).status == 403)
            #expect(try await api.get(Self.workspace, as: session).status == 403)
            // A key of one collection is not in the other.
            let wrong = service.path.replacing("service-keys", with: "client-keys")
            #expect(try await api.get("\(wrong)/usage", as: mortise.adminToken).status == 404)
            #expect(try await api.get("\(Self.workspace)", as: mortise.operatorToken).status == 403)
            let stranger = try await mortise.makeOrganization("Stranger")
            #expect(try await api.get("\(service.path)/usage", as: stranger.token).status == 404)
        }
    }
}

extension Timestamp {
    /// The number of whole minutes since 1970.
    fileprivate var minute: Int64 { microsecondsSinceUnixEpoch / 60_000_000 }
}
