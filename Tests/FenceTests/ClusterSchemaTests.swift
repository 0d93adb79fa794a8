import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Fence

/// The tables and functions of a cluster's database, on a real server.
@Suite(.hangLimit) struct ClusterSchemaTests {
    private func renew(_ node: UUID, _ listed: [UUID], _ connection: PostgresConnection) async throws -> RenewalAnswer {
        let timeline = ServerTimeline(system: 1, number: 1)
        return try RenewalAnswer(try await connection.query(FenceStatements.renew, [node, listed]), timeline: timeline)
    }

    private func insert(_ fence: UUID, key: UUID? = nil, life: Int64 = 60_000, _ connection: PostgresConnection)
        async throws
    {
        let keys: [UUID]? = key.map { [$0] }
        try await connection.query(FenceStatements.insert, [fence, UUID(), keys, life])
    }

    private func isAcknowledged(_ fence: UUID, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(FenceStatements.isAcknowledged, [fence])[0].decode(0)
    }

    private func lift(_ fence: UUID, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(FenceStatements.lift, [fence])[0].decode(0)
    }

    @Test func `a renewal is refused until it lists every fence, and then it acknowledges them`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (node, first, second, key) = (UUID(), UUID(), UUID(), UUID())
                let granted = try await renew(node, [], connection)
                #expect(granted.isGranted && granted.standing.isEmpty)
                try await insert(first, key: key, connection)
                try await insert(second, connection)
                let refused = try await renew(node, [first], connection)
                #expect(!refused.isGranted)
                #expect(Set(refused.standing.map(\.id)) == [first, second])
                #expect(Set(refused.standing.map(\.keys.keys)) == [[key], nil])
                #expect(try await isAcknowledged(first, connection))
                #expect(try await !isAcknowledged(second, connection))
                #expect(try await renew(node, [second, first], connection).isGranted)
                #expect(try await isAcknowledged(second, connection))
                #expect(try await lift(first, connection))
                #expect(try await !lift(first, connection))
                #expect(try await renew(node, [second, first], connection).standing.map(\.id) == [second])
            }
        }
    }

    // A refused node is not listed. It has no lease, so nobody needs to wait for it.
    @Test func `a refused renewal of an unknown node lists no lease`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let fence = UUID()
                try await insert(fence, connection)
                #expect(try await !renew(UUID(), [], connection).isGranted)
                #expect(try await cluster.count("leases") == 0)
                #expect(try await isAcknowledged(fence, connection))
            }
        }
    }

    // Attack (rule 4): a node joins between the fence and the list of nodes.
    @Test func `a fence waits for a grant under way, and then sees its node`() async throws {
        try await withCluster { cluster in
            let (node, fence) = (UUID(), UUID())
            let (granting, changing) = (try await cluster.connect(), try await cluster.connect())
            try await granting.script("BEGIN")
            #expect(try await renew(node, [], granting).isGranted)
            async let insertion: Void = insert(fence, changing)
            try await cluster.waitForAdvisoryLock()
            try await granting.script("COMMIT")
            try await insertion
            #expect(try await !isAcknowledged(fence, changing))
        }
    }

    // Attack (rule 4), from the other side.
    @Test func `a grant waits for a fence under way, and is refused`() async throws {
        try await withCluster { cluster in
            let (node, fence) = (UUID(), UUID())
            let (granting, changing) = (try await cluster.connect(), try await cluster.connect())
            try await changing.script("BEGIN")
            try await insert(fence, changing)
            async let answer = renew(node, [], granting)
            try await cluster.waitForAdvisoryLock()
            try await changing.script("COMMIT")
            let isGranted = try await answer.isGranted
            #expect(!isGranted)
        }
    }

    // Attack: a server whose default is another isolation level. The later statement would read the older snapshot.
    @Test func `grants and fences are refused under another isolation level`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                try await connection.script("SET default_transaction_isolation = 'repeatable read'")
                let renewal = await #expect(throws: PostgresError.self) { try await renew(UUID(), [], connection) }
                #expect(renewal?.sqlState?.rawValue == "55000")
                let insertion = await #expect(throws: PostgresError.self) { try await insert(UUID(), connection) }
                #expect(insertion?.sqlState?.rawValue == "55000")
            }
        }
    }

    // Attack (rule 24): the fence has expired, the node has renewed, and the next change does not wait for it.
    @Test func `rows of silent nodes are deleted only while the fence stands`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (silent, answering, fence) = (UUID(), UUID(), UUID())
                _ = try await renew(silent, [], connection)
                try await connection.query(FenceStatements.removeSilentNodes, [fence])
                #expect(try await cluster.count("leases") == 1)
                try await insert(fence, connection)
                // The other node lists it.
                _ = try await renew(answering, [fence], connection)
                #expect(try await !isAcknowledged(fence, connection))
                try await connection.query(FenceStatements.removeSilentNodes, [fence])
                #expect(try await isAcknowledged(fence, connection))
                let rest = try await connection.query(Statement("SELECT node_id FROM fence.leases"))
                #expect(try rest.map { try $0.decode(0, as: UUID.self) } == [answering])
            }
        }
    }

    // Attack: while nodes are replaced one by one, a program of an earlier release does not see the keys of a fence, and serves them.
    @Test func `programs of earlier releases take a fence of several keys for one around the workspace`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (several, one, keys) = (UUID(), UUID(), [UUID(), UUID()])
                try await connection.query(FenceStatements.insert, [several, UUID(), keys, Int64(60_000)])
                try await insert(one, key: keys[0], connection)
                let now = try await renew(UUID(), [], connection).standing
                #expect(Set(now.map(\.keys.keys)) == [keys, [keys[0]]])
                let before = try await connection.query(
                    Statement("SELECT fence_id, key_id FROM fence.renew($1, $2)"),
                    [UUID(), [UUID]()]
                )
                let seen = try before.map { try $0.decode((UUID, UUID?).self) }
                #expect(Set(seen.map { $0.0 }) == [several, one])
                let (ofSeveral, ofOne) = (seen.first { $0.0 == several }?.1, seen.first { $0.0 == one }?.1)
                #expect(ofSeveral == nil)
                #expect(ofOne == keys[0])
            }
        }
    }

    // Attack: the other way round, a node does not see the keys of a change that a program of an earlier release makes.
    @Test func `the fences of programs of earlier releases are those of their keys`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (fences, keys) = ([UUID(), UUID()], [UUID(), UUID()])
                let insert = Statement("SELECT system_identifier FROM fence.insert_fences($1, $2, $3, $4)")
                try await connection.query(insert, [fences, UUID(), keys, Int64(60_000)])
                try await connection.query(insert, [[UUID()], UUID(), [UUID]?.none, Int64(60_000)])
                let standing = try await renew(UUID(), [], connection).standing
                #expect(Set(standing.map(\.keys.keys)) == [[keys[0]], [keys[1]], nil])
            }
        }
    }

    // The largest batch has 100 keys. PostgreSQL refuses a notification of 8,000 bytes, and the change with it.
    @Test(arguments: [0, 1, 2, 100, 200, 201, 1000])
    func `a notification names the fence and its keys, unless they are too many for one`(count: Int) async throws {
        try await withCluster { cluster in
            let listener = try await cluster.connect()
            try await listener.listen(FenceStatements.channel)
            let (fence, workspace) = (UUID(), UUID())
            let keys = count == 0 ? nil : (0..<count).map { _ in UUID() }
            try await cluster.withConnection { connection in
                _ = try await connection.query(FenceStatements.insert, [fence, workspace, keys, Int64(60_000)])
            }
            var notifications = listener.notifications.makeAsyncIterator()
            let notification = await notifications.next()
            let payload = try #require(notification).payload
            let named = StandingFence(id: fence, keys: FencedKeys(workspace: workspace, keys: keys))
            #expect(StandingFence(notification: payload) == (count > 200 ? nil : named))
            await listener.close()
        }
    }

    // A renewal of every node for each lift would be a third of all renewals. A key is read for a moment instead.
    @Test func `only the lift of a workspace's fence notifies the nodes`() async throws {
        try await withCluster { cluster in
            let (ofKey, ofWorkspace) = (UUID(), UUID())
            let listener = try await cluster.connect()
            try await listener.listen(FenceStatements.channel)
            try await cluster.withConnection { connection in
                try await insert(ofKey, key: UUID(), connection)
                #expect(try await lift(ofKey, connection))
                try await insert(ofWorkspace, connection)
                #expect(try await lift(ofWorkspace, connection))
                try await connection.script("SELECT pg_notify('fence', 'end')")
            }
            var payloads: [String] = []
            for await notification in listener.notifications {
                payloads.append(notification.payload)
                if notification.payload == "end" { break }
            }
            #expect(payloads.map { StandingFence(notification: $0)?.id } == [ofKey, ofWorkspace, nil, nil])
            #expect(payloads.suffix(2) == ["", "end"])
            await listener.close()
        }
    }

    // Attack: a server that was replaced grants leases for as long as it lives. A commit that writes nothing waits for no standby.
    @Test func `a granted renewal always writes, and a refused one only what is new`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (node, fence) = (UUID(), UUID())
                func version() async throws -> String {
                    try await connection.text("SELECT xmin::text FROM fence.leases")
                }
                #expect(try await renew(node, [], connection).isGranted)
                let first = try await version()
                #expect(try await renew(node, [], connection).isGranted)
                let second = try await version()
                #expect(first != second)
                try await insert(fence, connection)
                #expect(try await !renew(node, [], connection).isGranted)
                #expect(try await version() == second)
                #expect(try await renew(node, [fence], connection).isGranted)
                #expect(try await isAcknowledged(fence, connection))
                try await insert(UUID(), connection)
                #expect(try await !renew(node, [], connection).isGranted)
                #expect(try await !isAcknowledged(fence, connection))
            }
        }
    }

    @Test func `a fence that expired is removed by a renewal, and cannot be lifted`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let fence = UUID()
                try await insert(fence, life: 1, connection)
                try await eventually("the fence expires") { try await renew(UUID(), [], connection).isGranted }
                #expect(try await !lift(fence, connection))
            }
        }
    }

    // A lift can hang on a standby. The renewals of all nodes must not hang behind it.
    @Test func `a lift under way delays no renewal`() async throws {
        try await withCluster { cluster in
            let fence = UUID()
            let lifting = try await cluster.connect()
            try await insert(fence, life: 1, lifting)
            try await lifting.script("BEGIN")
            #expect(try await lift(fence, lifting))
            try await cluster.withConnection { connection in
                let answer = try await renew(UUID(), [], connection)
                #expect(answer.standing.map(\.id) == [fence])
            }
            try await lifting.script("ROLLBACK")
        }
    }

    @Test func `the creation of the schema records the timeline, and a change of it is recorded again`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (timeline, recorded) = try await connection.readTimeline()
                #expect(timeline == recorded)
                #expect(timeline.number >= 1)
                // As a restored dump has it.
                try await connection.script("UPDATE fence.timeline SET system_identifier = 1")
                #expect(try await connection.readTimeline().1 == ServerTimeline(system: 1, number: timeline.number))
                try await insert(UUID(), connection)
                let fence = UUID()
                try await insert(fence, connection)
                try await connection.query(FenceStatements.removeSilentNodes, [fence])
                #expect(try await connection.readTimeline().1 == timeline)
            }
        }
    }

    /// Reports that a key has added to the backlogs of its limits, in nanoseconds, and returns the backlogs.
    private func exchange(
        _ id: UUID,
        _ minute: Int64,
        _ hour: Int64,
        _ connection: PostgresConnection
    ) async throws -> (minute: Int64, hour: Int64) {
        let (ids, none): ([UUID], [Int64]) = ([id], [0])
        let rows = try await connection.query(
            Statement("SELECT minute_backlog, hour_backlog FROM limits.exchange($1, $2, $3, $4, $5)"),
            [ids, [minute] as [Int64], [hour] as [Int64], none, none]
        )
        return (try rows[0].decode(0, as: Int64.self), try rows[0].decode(1, as: Int64.self))
    }

    // The fault: the clock of the server is set back, and each limit with a row is used up for as long.
    @Test func `a clock that is set back leaves the backlog of limits as it was`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (id, second) = (UUID(), Int64(1_000_000_000))
                let first = try await exchange(id, 30 * second, 900 * second, connection)
                #expect(first.minute == 30 * second && first.hour == 900 * second)
                for _ in 0..<2 {
                    // As if the rows were written before the clock was set back by a day.
                    let day = 86_400 * second
                    try await connection.script(
                        """
                        UPDATE limits.arrivals SET minute_arrival = minute_arrival + \(day),
                            hour_arrival = hour_arrival + \(day), reported_at = reported_at + \(day)
                        """
                    )
                    let after = try await exchange(id, second, second, connection)
                    #expect(after.minute <= 32 * second && after.minute > 0)
                    #expect(after.hour <= 902 * second && after.hour > 800 * second)
                }
                // The time that has passed counts again.
                let later = try await exchange(id, 0, 0, connection)
                let last = try await exchange(id, 0, 0, connection)
                #expect(last.hour < later.hour)
            }
        }
    }
}
