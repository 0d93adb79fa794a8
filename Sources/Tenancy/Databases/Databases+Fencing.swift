public import Fence
public import FoundationEssentials
public import Postgres

/// The leases of this node, the limits that nodes share, and the fences around changes.
extension Databases {
    /// Returns the keeper of this node's lease on a workspace's cluster.
    ///
    /// - Parameter workspace: The workspace. `nil` is the control database.
    /// - Returns: The keeper.
    /// - Throws: `unknownCluster`, `closed` after the shutdown, and the errors of the control database.
    public func keeper(for workspace: WorkspaceFacts?) async throws -> LeaseKeeper {
        try fencing.keeper(of: try await cluster(of: workspace))
    }

    /// Returns the exchange of rate limits with the other nodes, for the keys of a workspace.
    ///
    /// - Parameter workspace: The workspace.
    /// - Returns: The exchange of the workspace's cluster.
    /// - Throws: The errors of ``keeper(for:)``.
    public func limits(for workspace: WorkspaceFacts) async throws -> LimitExchange {
        try fencing.limits(of: try await cluster(of: workspace))
    }

    /// Returns the exchange of limits that belong to no workspace, such as those of guesses, of admin keys and of operator keys.
    ///
    /// - Throws: `closed` after the shutdown, or if the system provides no descriptors; `invalidConfiguration`.
    public func primaryLimits() throws(PostgresError) -> LimitExchange { try fencing.limits(of: database.primary) }

    /// Joins the primary cluster: starts to keep this node's lease, and waits for it.
    ///
    /// - Parameter patience: The maximum wait. A lease that comes later is used, too.
    /// - Returns: True if the lease is good.
    /// - Throws: `closed` after the shutdown, or if the system provides no descriptors.
    @discardableResult
    public func join(waitingAtMost patience: Duration) async throws -> Bool {
        await (try await keeper(for: nil)).waitForLease(atMost: patience)
    }

    /// Makes a change of keys under fences: see ``ClusterFencing/perform(_:on:_:of:_:)``.
    ///
    /// - Parameters:
    ///   - keys: The keys that the change is about, at least one. `nil` stands for all keys of the workspace.
    ///   - workspace: The workspace of the keys. `nil` is the control database.
    ///   - organization: The organization of the keys. `nil` for keys of operators.
    ///   - lane: `stops` for a change that stops keys.
    ///   - change: Commits the change. It runs at most once.
    /// - Returns: The value of the change.
    /// - Throws: The errors of ``ClusterFencing/perform(_:on:_:of:_:)``, and of finding the cluster.
    public func fenced<Value>(
        _ keys: [UUID]?,
        in workspace: WorkspaceFacts?,
        of organization: UUID?,
        _ lane: ClusterFencing.Lane,
        _ change: () async throws -> Value
    ) async throws -> Value {
        let fenced = FencedKeys(workspace: workspace?.workspaceID ?? Workspace.rootID, keys: keys)
        let cluster = try await self.cluster(of: workspace)
        return try await makingRoom(on: cluster.id) { begin in
            try await fencing.perform(fenced, on: cluster, lane, of: organization) {
                begin()
                return try await change()
            }
        }
    }

    /// Waits, after a change of the control database without a fence, until no lease of an earlier timeline of its server is good.
    ///
    /// Until then, a node can still believe what a server that was replaced says about members and sessions (decision 0014, rule 32). The
    /// first change after a failover waits as one under a fence does, by an empty change.
    ///
    /// - Parameter timeline: The timeline of the server that committed the change.
    /// - Throws: The errors of ``fenced(_:in:of:_:_:)``.
    public func awaitEndOfEarlierLeases(than timeline: ServerTimeline) async throws {
        guard !fencing.hasRecorded(timeline, of: database.primary) else { return }
        try await fenced([UUID()], in: nil, of: nil, .changes) {}
    }

    private func cluster(of workspace: WorkspaceFacts?) async throws -> Cluster {
        guard let workspace else { return database.primary }
        return try await caches(of: workspace.clusterID).cluster
    }
}
