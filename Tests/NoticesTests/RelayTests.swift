import FoundationEssentials
import HTTPTestSupport
import JSON
import KeyStore
import Keys
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

@testable import Notices

/// The reading of events from the databases of workspaces.
@Suite(.hangLimit) struct RelayTests {
    // The fault: the node waits for one database before it reads the next ones.
    @Test func `a database that does not answer holds up no other`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: { try? $0.allowLoopback() }) { mortise in
                let made = try await mortise.api.post(
                    "/v1/organizations/default/workspaces",
                    ["name": "Shop", "slug": "shop"],
                    as: mortise.adminToken
                )
                let shop = try #require(made["id"]?.string)
                func lease() async throws -> Timestamp? {
                    let rows = try await mortise.rows(
                        mortise.installation.control,
                        "SELECT leased_until FROM control.event_sources WHERE id = '\(shop)' AND leased_by IS NOT NULL"
                    )
                    return try rows.first?.timestamp(0)
                }
                let database = try await mortise.workspaceDatabase("shop")
                try await mortise.withConnection(database) { connection in
                    try await connection.script("BEGIN; LOCK TABLE auth.event_outbox IN ACCESS EXCLUSIVE MODE")
                    // A new webhook lets the node read all workspaces of its organization.
                    _ = try await mortise.makeWebhook(receiver.url, ["key.created"])
                    try await eventually("the node reads the locked database") { try await lease() != nil }
                    let first = try await lease()
                    for name in ["a", "b"] { _ = try await mortise.makeServiceKey(name) }
                    try await eventually("the events of the other database arrive") { receiver.requests.count == 2 }
                    // The node has not finished with the locked database.
                    let second = try await lease()
                    #expect(first != nil && first == second)
                    try await connection.script("COMMIT")
                }
            }
        }
    }

    // The fault: a reader of the control database held one of its connections and wanted another, and several of them waited for each other.
    @Test func `the events of the control database are read with a single connection`() async throws {
        try await ScriptedServer.with { _ in
            .json("{}")
        } _: { receiver in
            try await withMortise(configure: {
                try? $0.allowLoopback()
                $0.databases.controlConnections = 2
            }) { mortise in
                _ = try await mortise.makeWebhook(receiver.url, ["key.created"])
                try await mortise.server.platform.databases.control.pool.withConnection { _ in
                    _ = try await mortise.makeAdmin(["keys:read"])
                    try await eventually("the event arrives") { !receiver.requests.isEmpty }
                }
            }
        }
    }

    // The fault: the workspaces of one cluster use up the connections that people's requests to it need.
    @Test func `the sources of a cluster have a limited part, and a hint makes a source due`() async throws {
        try await withMortise { mortise in
            try await mortise.withConnection(mortise.installation.control) { connection in
                // Nobody else sees the rows of an open transaction.
                try await connection.script(
                    """
                    BEGIN;
                    INSERT INTO control.clusters (id, name, conninfo) VALUES (gen_random_uuid(), 'other', 'host=other.example');
                    INSERT INTO control.workspace_refs (ref) SELECT 'ZZZZZZZ' || n FROM generate_series(1, 6) n;
                    INSERT INTO control.workspaces (id, organization_id, ref, slug, cluster_id, database, state, state_event_id)
                    SELECT gen_random_uuid(), o.id, 'ZZZZZZZ' || n, 'z' || n, c.id, 'z_w_ZZZZZZZ' || n, 'creating', gen_random_uuid()
                    FROM generate_series(1, 6) n, control.organizations o, control.clusters c
                    WHERE o.slug = 'default' AND c.name = CASE WHEN n <= 4 THEN 'primary' ELSE 'other' END;
                    INSERT INTO control.event_sources (id, due_at)
                    SELECT id, clock_timestamp() + CASE WHEN slug = 'z6' THEN interval '1 hour' ELSE interval '-1 second' END
                    FROM control.workspaces WHERE slug LIKE 'z_';
                    """
                )
                let question = "SELECT id, cluster_id FROM control.workspaces WHERE slug LIKE 'z_' ORDER BY slug"
                let rows = try await connection.query(Statement(question, prepared: false))
                let ids = try rows.map { try $0.decode(0, as: UUID.self) }
                let cluster = try rows.map { try $0.decode(1, as: UUID.self) }[0]
                let node = UUID()
                func claim(_ hints: [UUID], _ clusters: [UUID: Int] = [:], except sources: Set<UUID> = []) async throws
                    -> [UUID]
                {
                    let shares = RelayShares(count: 10, perCluster: 2, clusters: clusters, sources: sources)
                    let claimed = try await EventSources(connection: connection)
                        .claim(by: node, including: hints, shares)
                    // The leases of a slow machine must not end between two claims.
                    try await connection.script(
                        "UPDATE control.event_sources SET leased_until = 'infinity' WHERE leased_by = '\(node)'"
                    )
                    // The server reads the control database at its own times.
                    return claimed.filter { $0.clusterID != nil }.map(\.source.id)
                }
                // Two of the four of the first cluster, and the one of the other cluster that is due.
                let first = try await claim([])
                #expect(first.count == 3)
                #expect(Set(first).intersection(ids[..<4]).count == 2)
                #expect(first.contains(ids[4]))
                // One of the rest of the first cluster, and the one that the node was told of.
                let second = try await claim([ids[5]], [cluster: 1])
                #expect(second.count == 2)
                #expect(second.contains(ids[5]))
                #expect(Set(second).isDisjoint(with: first))
                // A source that the node reads still is not read twice.
                let rest = Set(ids).subtracting(first).subtracting(second)
                #expect(rest.count == 1)
                let none = try await claim([], [:], except: rest)
                #expect(none.isEmpty)
                let last = try await claim([])
                #expect(Set(last) == rest)
                try await connection.script("ROLLBACK")
            }
        }
    }

    // The fault: a node repeats its claim every 50 ms for a database that no node can lease, because it is not marked.
    @Test func `a node forgets a change of a database that is not marked, unless it comes again`() async throws {
        try await withMortise { mortise in
            let databases = mortise.server.platform.databases
            let (control, unknown) = (EventSource.control.id, UUID())
            let missing = try await databases.control.pool.withConnection {
                try await EventSources(connection: $0).missing(among: [control, unknown])
            }
            #expect(missing == [unknown])
            let announcer = EventAnnouncer(databases, logger: LogCollector().logger)
            let start = ContinuousClock.now
            announcer.hint(nil)
            #expect(announcer.hints(except: [], at: start) == [control])
            announcer.drop([control], unchangedSince: start - .seconds(1))
            #expect(announcer.hints(except: [], at: start) == [control])
            announcer.drop([control], unchangedSince: .now)
            #expect(announcer.hints(except: [], at: start).isEmpty)
        }
    }

    // The fault: a revocation waited for its mark before its own time began, and then could take all of that.
    @Test func `a change begins while its workspace is marked, and the mark ends with the time of the change`()
        async throws
    {
        try await withMortise { mortise in
            let databases = mortise.server.platform.databases
            let answer = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken)
            let id = try #require(UUIDv7.parse(try answer.string("id")))
            let facts = try #require(try await databases.facts(id: id))
            let announcer = EventAnnouncer(databases, patience: .ample, logger: LogCollector().logger)
            try await mortise.withConnection(mortise.installation.control) { connection in
                try await connection.script("BEGIN; LOCK TABLE control.event_sources IN ACCESS EXCLUSIVE MODE")
                try await PostgresDeadline.with(.zero) {
                    try await announcer.announcing(facts, marking: { mark in await mark.end() })
                }
                try await announcer.announcing(
                    facts,
                    marking: { mark in
                        try await connection.script("COMMIT")
                        await mark.end()
                    }
                )
            }
        }
    }

    @Test func `a node reads eight databases at once, and some of each cluster`() {
        let slots = RelaySlots(perCluster: 4)
        let (one, other) = (UUID(), UUID())
        let sources = (0..<RelaySlots.total)
            .map { index in
                ClaimedSource(source: .workspace(UUID()), clusterID: index < 4 ? one : other)
            }
        #expect(slots.shares.count == RelaySlots.total)
        for source in sources.prefix(5) { slots.begin(source) }
        #expect(slots.shares.count == RelaySlots.total - 5)
        #expect(slots.shares.clusters == [one: 0, other: 3])
        #expect(slots.shares.sources == Set(sources.prefix(5).map(\.source.id)))
        slots.end(sources[4])
        #expect(slots.shares.clusters == [one: 0])
        slots.begin(ClaimedSource(source: .control, clusterID: nil))
        #expect(slots.shares.count == RelaySlots.total - 5)
        #expect(slots.planRetry())
        #expect(!slots.planRetry())
        slots.beginRetry()
        #expect(slots.planRetry())
    }
}
