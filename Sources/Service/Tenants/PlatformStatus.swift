public import FoundationEssentials
public import Keys
public import Tenancy
import Verification

/// A node of the installation: a running server.
public struct Node: Sendable, Hashable {
    /// The node's id.
    ///
    /// Each start chooses a new one.
    public let id: UUID
    /// The version of the program.
    public let version: String
    /// The time of the start.
    public let startedAt: Timestamp

    /// Creates a node that starts now.
    ///
    /// - Parameters:
    ///   - version: The version of the program.
    ///   - now: The time of the start.
    public init(version: String, startedAt now: Timestamp) {
        var randomness = SystemRandomNumberGenerator()
        id = UUIDv7.make(at: now, using: &randomness)
        self.version = version
        startedAt = now
    }
}

/// The state of an installation, as one node sees it.
public struct PlatformStatus: Sendable {
    /// The connections of the node to the control database, by their purpose.
    public let controlPools: [(purpose: String, figures: PoolFigures)]
    /// The number of keys in the memory of the node, and their estimated bytes.
    public let memory: (keys: Int, bytes: Int)
    /// The clusters with the connections of the node to them; `nil` for a cluster that the node has not used.
    public let clusters: [(status: ClusterStatus, connections: ClusterConnections?)]
}

/// The use case of the operator who looks at the installation.
public struct StatusService: Sendable {
    let context: ServiceDependencies
    /// This node.
    public let node: Node

    /// Returns the state of the installation.
    ///
    /// - Throws: `Refusal.forbidden` unless the caller is an operator, or the control database's errors.
    public func status(for principal: Principal) async throws -> PlatformStatus {
        try principal.requirePlatform(.platform)
        let connections = Dictionary(
            context.databases.clusterConnections.map { ($0.clusterID, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return PlatformStatus(
            controlPools: context.databases.controlPools,
            memory: context.verifier.keys.size,
            clusters: try await context.provisioner.clusterStatus().map { ($0, connections[$0.cluster.id]) }
        )
    }
}
