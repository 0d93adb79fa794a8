public import FoundationEssentials

/// The keys that one fence is about: one key, or all keys of a workspace.
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

/// The keys that a change is about: some keys of a workspace, or all of them.
///
/// Each of some keys gets a fence of its own. All keys of a workspace get one fence together.
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

    /// The number of fences.
    var fenceCount: Int { keys?.count ?? 1 }
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
