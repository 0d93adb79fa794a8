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
        try await insert([fence], keys: key.map { [$0] }, life: life, connection)
    }

    private func insert(_ fences: [UUID], keys: [UUID]?, life: Int64 = 60_000, _ connection: PostgresConnection)
        async throws
    {
        try await connection.query(FenceStatements.insert, [fences, UUID(), keys, life])
    }

    private func isAcknowledged(_ fence: UUID, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(FenceStatements.areAcknowledged, [[fence]])[0].decode(0)
    }

    private func lift(_ fence: UUID, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query(FenceStatements.lift, [[fence]])[0].decode(0)
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
                #expect(Set(refused.standing.map(\.target.key)) == [key, nil])
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
                try await connection.query(FenceStatements.removeSilentNodes, [[fence]])
                #expect(try await cluster.count("leases") == 1)
                try await insert(fence, connection)
                // The other node lists it.
                _ = try await renew(answering, [fence], connection)
                #expect(try await !isAcknowledged(fence, connection))
                try await connection.query(FenceStatements.removeSilentNodes, [[fence]])
                #expect(try await isAcknowledged(fence, connection))
                let rest = try await connection.query(Statement("SELECT node_id FROM fence.leases"))
                #expect(try rest.map { try $0.decode(0, as: UUID.self) } == [answering])
            }
        }
    }

    // Attack: a node has raised one fence of several, and a change goes on although the node serves the other keys from memory.
    @Test func `fences of several keys are acknowledged, waited out and lifted only together`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { connection in
                let (node, fences) = (UUID(), [UUID(), UUID()])
                func areAcknowledged() async throws -> Bool {
                    try await connection.query(FenceStatements.areAcknowledged, [fences])[0].decode(0)
                }
                _ = try await renew(node, [], connection)
                try await insert(fences, keys: [UUID(), UUID()], connection)
                #expect(try await renew(node, [fences[0]], connection).standing.count == 2)
                #expect(try await !areAcknowledged())
                #expect(try await renew(node, fences, connection).isGranted)
                #expect(try await areAcknowledged())
                // A silent node has raised only one of them. While only one stands, its row stays.
                let silent = UUID()
                try await connection.query(
                    Statement("INSERT INTO fence.leases (node_id, raised) VALUES ($1, $2)"),
                    [silent, [fences[0]]]
                )
                #expect(try await lift(fences[0], connection))
                try await connection.query(FenceStatements.removeSilentNodes, [fences])
                #expect(try await cluster.count("leases") == 2)
                let isWhole: Bool = try await connection.query(FenceStatements.lift, [fences])[0].decode(0)
                #expect(!isWhole)
                #expect(try await cluster.count("fences") == 0)
            }
        }
    }

    // A renewal of every node for each lift would be a third of all renewals. A key is read for a moment instead.
    @Test func `only the lift of a workspace's fence notifies the nodes`() async throws {
        try await withCluster { cluster in
            let listener = try await cluster.connect()
            try await listener.listen(FenceStatements.channel)
            try await cluster.withConnection { connection in
                let (ofKey, ofWorkspace) = (UUID(), UUID())
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
            #expect(payloads == ["", "", "", "end"])
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
                try await connection.query(FenceStatements.removeSilentNodes, [[fence]])
                #expect(try await connection.readTimeline().1 == timeline)
            }
        }
    }
}
