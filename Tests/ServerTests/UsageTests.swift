import FoundationEssentials
import JSON
import KeyStore
import Keys
import Logging
import Postgres
import SQLFiles
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing
import Verification

/// Usage counts are written once and for the right hour, and expire.
@Suite(.hangLimit) struct UsageTests {
    private static let counts = "SELECT coalesce(sum(verifications), 0)::text FROM auth.key_usage"

    private func text(_ sql: String, _ mortise: ServerHarness) async throws -> String? {
        try await mortise.rows(try await mortise.workspaceDatabase(), sql).first?.decode(0, as: String?.self)
    }

    @Test func `a batch of counts that fails in part is counted once`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            for _ in 0..<3 { #expect(try await mortise.verdict(key.token) == "valid") }
            try await mortise.inWorkspace("ALTER TABLE auth.key_usage_hourly RENAME TO elsewhere")
            await mortise.server.platform.usage.flush()
            #expect(try await text(Self.counts, mortise) == "0")
            try await mortise.inWorkspace("ALTER TABLE auth.elsewhere RENAME TO key_usage_hourly")
            for _ in 0..<2 { await mortise.server.platform.usage.flush() }
            #expect(try await text(Self.counts, mortise) == "3")
            #expect(try await text("SELECT sum(count)::text FROM auth.key_usage_hourly", mortise) == "3")
        }
    }

    // A person makes a key, uses it once, and looks.
    @Test func `a use is visible at once on the node that counted it, before and after it is written`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.api.get(key.path, as: mortise.adminToken)["last_used_at"] == .null)
            #expect(try await mortise.verdict(key.token) == "valid")
            let use = try await mortise.api.get(key.path, as: mortise.adminToken).string("last_used_at")
            let list = try await mortise.api.get("/v1/workspaces/default/service-keys", as: mortise.adminToken)
            #expect(list["data"]?.array?.first?["last_used_at"]?.string == use)
            // Boltz's list of all keys reads each database, and its list of one workspace is another use case.
            let workspace = ServerHarness.boltzWorkspace(try await mortise.defaultWorkspaceID())
            var listed: [String] = []
            for query in ["", "?workspace_id=\(workspace)"] {
                let page = try await mortise.boltz("GET", ServerHarness.boltzKeys + query, as: mortise.adminToken)
                let shown = try #require(page["data"]?.array?.first { $0["key_type"] == "workspace" }, "\(page)")
                listed.append(try #require(shown["last_used_at"]?.string, "\(page)"))
            }
            #expect(listed.first == listed.last)
            await mortise.server.platform.usage.flush()
            #expect(try await mortise.api.get(key.path, as: mortise.adminToken).string("last_used_at") == use)
        }
    }

    // The attack: somebody uses a stolen token from elsewhere. The owner looks where it was used.
    @Test func `the last known address of an accepted use is shown, and a refused use changes nothing`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey("k", ["allowed_ips": ["192.0.2.0/24", "2001:db8::/32"]])
            func address() async throws -> String? {
                try await mortise.api.get(key.path, as: mortise.adminToken)["last_used_address"]?.string
            }
            #expect(try await address() == nil)
            #expect(try await mortise.verdict(key.token, ["address": "198.51.100.1"]) == "wrong_address")
            #expect(try await address() == nil)
            for next in ["192.0.2.7", "2001:db8::7"] {
                #expect(try await mortise.verdict(key.token, ["address": .string(next)]) == "valid")
                #expect(try await address() == next)
                await mortise.server.platform.usage.flush()
                #expect(try await address() == next)
            }
            let free = try await mortise.makeKey("free")
            for asked: JSONValue in [["address": "192.0.2.9"], [:]] {
                #expect(try await mortise.verdict(free.token, asked) == "valid")
                await mortise.server.platform.usage.flush()
                let shown = try await mortise.api.get(free.path, as: mortise.adminToken)
                #expect(shown["last_used_address"] == "192.0.2.9")
                #expect(shown["secrets"]?.array?.first?["last_used_address"] == "192.0.2.9")
            }
        }
    }

    // A flush used to open a connection to each workspace that had been used, 82 of them in 15 s.
    @Test func `a flush opens no connection to a workspace, and its look-ups go on`() async throws {
        try await withMortise(configure: {
            $0.usage.interval = .seconds(3600)
            // A look-up that a busy machine answers late would get another session.
            $0.databases.lookupSilence = .ample
        }) { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            let database = try await mortise.workspaceDatabase()
            // The sessions of the test itself and of the migration end a moment after they were closed, so they do not count.
            func sessions() async throws -> [Int] {
                try await mortise.rows(
                    mortise.installation.server.configuration(),
                    """
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = '\(database.database ?? "")' AND backend_type = 'client backend'
                        AND usename = '\(mortise.installation.installation.runtimeRole)' ORDER BY 1
                    """
                )
                .map { try $0.decode(0, as: Int.self) }
            }
            let before = try await sessions()
            #expect(!before.isEmpty)
            await mortise.server.platform.usage.flush()
            #expect(try await sessions() == before)
            #expect(try await text(Self.counts, mortise) == "1")
            #expect(try await mortise.verdict(key.token) == "valid")
            await mortise.server.platform.usage.flush()
            #expect(try await text(Self.counts, mortise) == "2")
            #expect(try await sessions() == before)
        }
    }

    @Test func `uses are written at a clean stop, even if the workspace has no connection any more`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            for _ in 0..<3 { #expect(try await mortise.verdict(key.token) == "valid") }
            for _ in 0..<2 { await mortise.server.platform.databases.closeUnusedLookups() }
            #expect(mortise.server.platform.databases.lookupConnections.open == 0)
            let end = Task { await mortise.server.platform.usage.run() }
            end.cancel()
            await end.value
            #expect(try await text(Self.counts, mortise) == "3")
        }
    }

    // Another node's flush holds the rows, or somebody works in the table by hand.
    @Test func `a flush that waits for a lock gives up soon, loses nothing, and fails no look-up`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { person in
                // The attack: a table that stays locked, or a database that is gone, wrote a line in each second.
                func complaints() -> Int {
                    mortise.log.lines.count {
                        $0.level == .warning && $0.message.hasPrefix("usage could not be written")
                    }
                }
                for failures in 1...2 {
                    try await person.script("BEGIN; LOCK auth.key_usage")
                    await mortise.server.platform.usage.flush()
                    #expect(try await mortise.verdict(key.token) == "valid")
                    for _ in 0..<2 { await mortise.server.platform.usage.flush() }
                    #expect(complaints() == failures)
                    try await person.script("COMMIT")
                    await mortise.server.platform.usage.flush()
                }
            }
            #expect(try await text(Self.counts, mortise) == "3")
        }
    }

    @Test func `a use is visible on every node within two seconds`() {
        #expect(UsageOptions().interval <= .seconds(1))
    }

    @Test func `counts of a deleted workspace are discarded without a warning`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let made = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            #expect(made.status == 201)
            let key = try await mortise.makeKey("k", in: "shop")
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await api.post("/v1/workspaces/shop/archive", as: admin).status == 200)
            #expect(try await api.send("DELETE", "/v1/workspaces/shop", as: admin).status == 204)
            await mortise.server.platform.usage.flush()
            let complaints = mortise.log.lines.filter { $0.message.hasPrefix("usage could not be written") }
            #expect(complaints.map(\.text) == [])
            // Nothing is kept for a retry.
            let dropped = { mortise.log.lines.filter { $0.message.hasPrefix("usage of a deleted") }.count }
            #expect(dropped() == 1)
            await mortise.server.platform.usage.flush()
            #expect(dropped() == 1)
        }
    }

    // The sessions of this database have a time zone with an offset of half an hour.
    @Test func `a use is counted in its own UTC minute and hour, whenever it is written`() async throws {
        try await withMortise { mortise in
            let name = try #require(try await mortise.workspaceDatabase().database)
            try await administer("ALTER DATABASE \"\(name)\" SET timezone = 'Asia/Kolkata'")
            let connection = try await PostgresConnection.connect(
                try await mortise.workspaceDatabase(),
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            var count = UsageCount(secretID: UUID(), keyID: UUID())
            let first = try #require(Timestamp(rfc3339: "2026-03-01T10:59:59.999999Z"))
            let second = try #require(Timestamp(rfc3339: "2026-03-01T11:00:00Z"))
            count.add(.valid, at: first)
            count.add(.valid, at: second)
            count.add(.expired, at: second)
            try await UsageStore(connection).add([count])
            await connection.close()
            let rows =
                try await mortise
                .rows(
                    try await mortise.workspaceDatabase(),
                    """
                    SELECT to_char(hour AT TIME ZONE 'UTC', 'HH24:MI') || ' ' || code || ' ' || count || ' ' || minutes::text
                    FROM auth.key_usage_hourly ORDER BY 1
                    """
                )
                .map { try $0.decode(0, as: String.self) }
            #expect(rows == ["10:00 valid 1 [59:59]={1}", "11:00 expired 1 [0:0]={1}", "11:00 valid 1 [0:0]={1}"])
        }
    }

    // After an outage a batch has many minutes of one key and verdict, which are one row.
    @Test func `the minutes of a row are added each to its own, in one batch and in several`() async throws {
        try await withMortise { mortise in
            let database = try await mortise.workspaceDatabase()
            let hour = try #require(Timestamp(rfc3339: "2026-03-01T10:00:00Z"))
            let key = UUID()
            try await mortise.withConnection(database) { connection in
                for minutes in [[7, 9, 9], [30, 7], [3]] {
                    // Two secrets of one key.
                    let counts = (0..<2)
                        .map { _ in
                            var count = UsageCount(secretID: UUID(), keyID: key)
                            for minute in minutes { count.add(.valid, at: hour + .seconds(60 * minute)) }
                            return count
                        }
                    try await UsageStore(connection).add(counts)
                }
            }
            #expect(
                try await text(
                    """
                    SELECT count || ' ' || (SELECT string_agg(n || ':' || minutes[n], ' ' ORDER BY n)
                        FROM generate_subscripts(minutes, 1) n WHERE minutes[n] > 0)
                    FROM auth.key_usage_hourly
                    """,
                    mortise
                ) == "12 3:2 7:4 9:4 30:2"
            )
        }
    }

    // During a long outage, the minutes of a count are added up.
    @Test func `hours without minutes are added to rows with and without minutes, and no minute is lost`() async throws
    {
        try await withMortise { mortise in
            let hour = try #require(Timestamp(rfc3339: "2026-03-01T10:00:00Z"))
            let (secret, key) = (UUID(), UUID())
            func count(_ minutes: some Sequence<Int>) -> UsageCount {
                var count = UsageCount(secretID: secret, keyID: key)
                for minute in minutes { count.add(.valid, at: hour + .seconds(60 * Int64(minute))) }
                return count
            }
            // 40 minutes of one hour become that hour, and the last minute stays.
            var folded = [count(0..<40), count(0..<40)]
            folded[1].merge(count([61]))
            for index in folded.indices { folded[index].foldMinutes() }
            #expect(folded.map(\.sums) == [2, 2] && folded.map(\.verifications) == [40, 41])
            let row = """
                SELECT string_agg(to_char(hour AT TIME ZONE 'UTC', 'HH24') || ' ' || count || ' '
                    || coalesce((SELECT string_agg(n || ':' || minutes[n], ' ' ORDER BY n)
                        FROM generate_subscripts(minutes, 1) n WHERE minutes[n] > 0), 'none'), ', ' ORDER BY hour)
                FROM auth.key_usage_hourly
                """
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { connection in
                let store = UsageStore(connection)
                var early = count(-60..<0)
                early.merge(count([5]))
                early.foldMinutes()
                try await store.add([early])
            }
            #expect(try await text(row, mortise) == "09 60 none, 10 1 5:1")
            try await mortise.withConnection(try await mortise.workspaceDatabase()) { connection in
                let store = UsageStore(connection)
                for count in folded { try await store.add([count]) }
                try await store.add([count([-30, 6])])
            }
            #expect(try await text(row, mortise) == "09 61 30:1, 10 82 5:1 6:1 39:1, 11 1 1:1")
        }
    }

    // New servers start first, and the workspaces are migrated after that.
    @Test func `a workspace before the migration of minutes is counted in, by the hour`() async throws {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let key = try await mortise.makeKey()
            try await mortise.inWorkspace("ALTER TABLE auth.key_usage_hourly DROP COLUMN minutes")
            func use() async throws {
                for _ in 0..<2 { #expect(try await mortise.verdict(key.token) == "valid") }
                await mortise.server.platform.usage.flush()
            }
            for _ in 0..<2 { try await use() }
            #expect(try await text(Self.counts, mortise) == "4")
            #expect(try await text("SELECT sum(count)::text FROM auth.key_usage_hourly", mortise) == "4")
            let migration = try #require(SQLFiles.workspace.first { $0.name == "w0036_minutes_in_hours" })
            for _ in 0..<2 { try await mortise.inWorkspace(String(decoding: migration.bytes, as: UTF8.self)) }
            try await use()
            let sums =
                "SELECT sum(count) || ' ' || sum((SELECT sum(n) FROM unnest(minutes) n)) FROM auth.key_usage_hourly"
            #expect(try await text(sums, mortise) == "6 2")
        }
    }

    @Test(arguments: [1, 40]) func `a batch of any length is added completely, whatever is in its counts`(
        length: Int
    ) async throws {
        try await withMortise { mortise in
            let database = try await mortise.workspaceDatabase()
            let connection = try await PostgresConnection.connect(
                database,
                reactor: try TestReactor.shared,
                logger: LogCollector().logger
            )
            let now = try #require(Timestamp(rfc3339: "2026-03-01T10:59:59.123456Z"))
            let addresses = [nil, "203.0.113.7", "2001:db8::7"].map { $0.flatMap(IPAddress.init) }
            var counts: [UsageCount] = []
            for number in 0..<length {
                var count = UsageCount(secretID: UUID(), keyID: UUID())
                if number % 4 < 3 { count.add(.valid, at: now, from: addresses[number % 4]) }
                count.add(.rateLimited, at: now)
                counts.append(count)
            }
            try await UsageStore(connection).add(counts)
            try await UsageStore(connection).add(counts.reversed())
            await connection.close()
            let valid = counts.filter { $0.lastUse != nil }.count
            let sums =
                try await mortise.rows(
                    database,
                    """
                    SELECT (SELECT count(*) || ' ' || coalesce(sum(verifications), 0) FROM auth.key_usage)
                        || ' ' || (SELECT count(*) FROM auth.key_usage WHERE last_used_address IN ('203.0.113.7', '2001:db8::7'))
                        || ' ' || (SELECT count(*) || ' ' || sum(minutes[59]) FROM auth.key_usage_hourly)
                        || ' ' || (SELECT count(*) || ' ' || sum(count) FROM auth.key_usage_hourly)
                        || ' ' || (SELECT count(*) FROM auth.key_usage
                            WHERE last_used_at <> '2026-03-01 10:59:59.123456+00')
                    """
                )
                .map { try $0.decode(0, as: String.self) }
            let slots = valid + length
            let addressed = counts.filter { $0.lastUse?.address != nil }.count
            let expected = "\(valid) \(2 * valid) \(addressed) \(slots) \(2 * slots) \(slots) \(2 * slots) 0"
            #expect(sums == [expected])
        }
    }

    @Test func `usage of deleted keys and old counts are deleted, and no report loses a row that it can show`()
        async throws
    {
        try await withMortise(configure: { $0.usage.interval = .seconds(3600) }) { mortise in
            let (kept, gone) = (try await mortise.makeKey("kept"), try await mortise.makeKey("gone"))
            for key in [kept, gone] { #expect(try await mortise.verdict(key.token) == "valid") }
            #expect(try await mortise.api.send("DELETE", gone.path, as: mortise.adminToken).status == 204)
            await mortise.server.platform.usage.flush()
            try await mortise.inWorkspace(
                """
                INSERT INTO auth.key_usage_hourly
                SELECT '\(kept.id)', date_trunc('hour', now(), 'UTC') - age, 'valid', 1, '[7:7]={1}'
                FROM unnest(ARRAY['401 days', '399 days', '50 hours', '49 hours', '48 hours', '47 hours']::interval[]) age;
                INSERT INTO auth.key_usage_hourly
                SELECT gen_random_uuid(), date_trunc('hour', now(), 'UTC') - interval '51 hours', 'valid', 1, '[7:7]={1}'
                FROM generate_series(1, 12000)
                """
            )
            // A report can begin 48 hours ago, in the middle of an hour. An hour can end meanwhile.
            let changed = try await mortise.server.platform.upkeep.expire(eventDays: nil)
            #expect([12_004, 12_005].contains(changed))
            let minutes = """
                SELECT string_agg((minutes IS NOT NULL)::text, ' ' ORDER BY hour) FROM auth.key_usage_hourly
                WHERE hour BETWEEN now() - interval '53 hours' AND now() - interval '1 day' AND key_id = '\(kept.id)'
                """
            let expected = ["false false true true", "false false false true"]
            #expect(expected.contains(try #require(try await text(minutes, mortise))))
            #expect(try await text("SELECT string_agg(key_id::text, ',') FROM auth.key_usage", mortise) == kept.id)
            let old = "SELECT count(*)::text FROM auth.key_usage_hourly WHERE hour < now() - interval '3 days'"
            #expect(try await text(old, mortise) == "1")
            #expect(try await mortise.server.platform.upkeep.expire(eventDays: nil) == 0)
        }
    }
}
