import FoundationEssentials
import KeyStore
import Postgres

extension ControlWriter {
    private static let insertCluster = Statement(
        """
        INSERT INTO control.clusters (id, name, conninfo) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO NOTHING
        RETURNING \(Cluster.columns)
        """
    )

    private static let updateCluster = Statement(
        "UPDATE control.clusters SET conninfo = $2 WHERE id = $1 RETURNING \(Cluster.columns)"
    )

    private static let deleteCluster = Statement("DELETE FROM control.clusters WHERE id = $1")

    /// Changes the connection string of a cluster.
    func updateCluster(_ cluster: Cluster, conninfo: String, by attribution: Attribution) async throws -> Cluster {
        let rows = try await transaction.connection.query(Self.updateCluster, [cluster.id, conninfo])
        guard let row = rows.first else { throw TenancyError.unknownCluster }
        var changes = EventChanges()
        changes.add("name", from: cluster.name, to: cluster.name)
        changes.add("connection", from: cluster.conninfo, to: conninfo)
        try await record(.clusterUpdated, changes, by: attribution)
        return try Cluster(row: row)
    }

    /// Deletes a cluster's row.
    ///
    /// - Throws: `foreignKeyViolation` if a workspace is on the cluster.
    func deleteCluster(_ cluster: Cluster, by attribution: Attribution) async throws {
        try await transaction.connection.query(Self.deleteCluster, [cluster.id])
        var changes = EventChanges()
        changes.add("id", from: cluster.id, to: UUID?.none)
        changes.add("name", from: cluster.name, to: String?.none)
        try await record(.clusterRemoved, changes, by: attribution)
    }

    /// Inserts a cluster's row, or returns `nil` if the name is taken.
    ///
    /// Only the owner role can. See `ControlDatabase.addCluster`.
    func insertCluster(id: UUID, name: String, conninfo: String, by attribution: Attribution) async throws -> Cluster? {
        let rows = try await transaction.connection.query(Self.insertCluster, [id, name, conninfo])
        guard let row = rows.first else { return nil }
        var changes = EventChanges()
        changes.add("id", from: UUID?.none, to: id)
        changes.add("name", from: String?.none, to: name)
        try await record(.clusterCreated, changes, by: attribution)
        return try Cluster(row: row)
    }
}
