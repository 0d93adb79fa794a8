public import FoundationEssentials

/// The keys that a fence is about: one key, or all keys of a workspace.
public struct FenceTarget: Sendable, Hashable {
    /// The workspace of the keys.
    public let workspace: UUID
    /// The key, or `nil` for all keys of the workspace.
    public let key: UUID?

    /// Creates a target.
    ///
    /// - Parameters:
    ///   - workspace: The workspace of the keys.
    ///   - key: The key, or `nil` for all keys of the workspace.
    public init(workspace: UUID, key: UUID? = nil) {
        self.workspace = workspace
        self.key = key
    }
}

/// A fence that stands in the cluster's database.
public struct StandingFence: Sendable, Hashable {
    /// The fence's id, which is never used again.
    public let id: UUID
    /// The keys that the fence is about.
    public let target: FenceTarget

    /// Creates a fence.
    public init(id: UUID, target: FenceTarget) {
        self.id = id
        self.target = target
    }
}
