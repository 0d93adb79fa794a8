public import FoundationEssentials

/// The keys that a change, and so its fence, is about: some keys of a workspace, or all of them.
public struct FencedKeys: Sendable, Hashable {
    /// The workspace of the keys.
    public let workspace: UUID
    /// The keys, at least one, or `nil` for all keys of the workspace.
    public let keys: [UUID]?

    /// Creates the keys of a change.
    ///
    /// - Parameters:
    ///   - workspace: The workspace of the keys.
    ///   - keys: The keys, at least one, or `nil` for all keys of the workspace.
    public init(workspace: UUID, keys: [UUID]? = nil) {
        precondition(keys?.isEmpty != true, "a change without a key has no fence")
        self.workspace = workspace
        self.keys = keys
    }
}

/// A fence that stands in the cluster's database.
public struct StandingFence: Sendable, Hashable {
    /// The fence's id, which is never used again.
    public let id: UUID
    /// The keys that the fence is about.
    public let keys: FencedKeys

    /// Creates a fence.
    public init(id: UUID, keys: FencedKeys) {
        self.id = id
        self.keys = keys
    }
}
