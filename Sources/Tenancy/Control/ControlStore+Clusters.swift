public import FoundationEssentials
import Keys
import Postgres

extension ControlStore {
    private static let clusterByID = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE id = $1")
    private static let clusterByName = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE name = $1")
    private static let clusterList = ListStatement("SELECT \(Cluster.columns) FROM control.clusters", alias: "clusters")

    private static let insertCluster = Statement(
        """
        WITH made AS (
            INSERT INTO control.clusters (id, name, conninfo) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO NOTHING
            RETURNING *
        ), noted AS (
            INSERT INTO auth.key_events (id, type, actor, address, request_id, changes)
            SELECT $4, 'cluster.created', $5, $6, $7, jsonb_build_object(
                'id', jsonb_build_object('from', NULL, 'to', made.id),
                'name', jsonb_build_object('from', NULL, 'to', made.name))
            FROM made
        )
        SELECT \(Cluster.columns) FROM made
        """
    )

    /// A cluster by its id.
    public func cluster(_ id: UUID) async throws -> Cluster? {
        try await connection.query(Self.clusterByID, [id]).first.map(Cluster.init(row:))
    }

    /// A cluster by its name.
    public func cluster(name: String) async throws -> Cluster? {
        guard !name.utf8.contains(0) else { return nil }
        return try await connection.query(Self.clusterByName, [name]).first.map(Cluster.init(row:))
    }

    /// A page of clusters.
    public func clusters(_ page: PageRequest) async throws -> Page<Cluster> {
        try await Self.clusterList.page(
            page,
            [],
            on: connection,
            place: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: Cluster.init(row:)
        )
    }

    /// Adds a cluster's row, or returns `nil` when the name is taken.
    ///
    /// For the owner; see `ControlDatabase.addCluster`.
    func insertCluster(id: UUID, name: String, conninfo: String, by attribution: Attribution) async throws -> Cluster? {
        try await connection.query(Self.insertCluster, [id, name, conninfo] + event(attribution))
            .first.map(Cluster.init(row:))
    }
}
