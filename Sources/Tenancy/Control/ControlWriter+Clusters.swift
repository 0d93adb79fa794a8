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
