public import FoundationEssentials
import Postgres

extension ControlStore {
    private static let byID = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE id = $1")
    private static let byName = Statement("SELECT \(Cluster.columns) FROM control.clusters WHERE name = $1")
    private static let list = ListStatement("SELECT \(Cluster.columns) FROM control.clusters", alias: "clusters")

    /// Returns a cluster by its id.
    public func cluster(_ id: UUID) async throws -> Cluster? {
        try await connection.query(Self.byID, [id]).first.map(Cluster.init(row:))
    }

    /// Returns a cluster by its name.
    public func cluster(name: String) async throws -> Cluster? {
        guard !name.utf8.contains(0) else { return nil }
        return try await connection.query(Self.byName, [name]).first.map(Cluster.init(row:))
    }

    /// Returns a page of clusters.
    public func clusters(_ page: PageRequest) async throws -> Page<Cluster> {
        try await Self.list.page(
            page,
            [],
            on: connection,
            cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: Cluster.init(row:)
        )
    }
}
