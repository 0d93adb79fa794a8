public import FoundationEssentials
import Locks
import Logging

extension Databases {
    /// Leaves the clusters that were removed from the installation.
    ///
    /// Another program removes a cluster, with its database. This node would go on trying to renew its lease there, which looks like a
    /// lease that is lost.
    ///
    /// - Returns: The ids of the clusters that this node has left.
    /// - Throws: The control database's errors. Then no cluster is left.
    @discardableResult
    public func leaveRemovedClusters() async throws -> Set<UUID> {
        // Before the clusters are read: one that is added and used meanwhile must not look like a removed one.
        let used = Set(caches.entries.keys).union(fencing.clusterIDs).subtracting([database.primary.id])
        if used.isEmpty { return [] }
        let removed = used.subtracting(try await directory.clusters(among: used))
        for id in removed { await leave(id) }
        return removed
    }

    /// Leaves a cluster.
    ///
    /// First the node forgets the cluster, so that no request begins to use it again without a look at the control database.
    private func leave(_ clusterID: UUID) async {
        let cached = caches.removeValue(for: clusterID)
        directory.removeWorkspaces(on: clusterID)
        await fencing.leave(clusterID)
        if let cached {
            await cached.lookups.shutdown()
            for pools in cached.all { await pools.shutdown() }
        }
        database.logger.notice(
            "a PostgreSQL server was removed from the installation, and this node has left it",
            metadata: ["cluster": "\(cached?.cluster.name ?? clusterID.uuidString.lowercased())"]
        )
    }
}
