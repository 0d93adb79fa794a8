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

extension StandingFence {
    /// Reads the text with which the insertion of a fence notifies the nodes: the ids of the fence, of the workspace and of the keys.
    ///
    /// Any other text is `nil`. The next renewal then tells of the fence.
    init?(notification text: String) {
        let ids = text.split(separator: " ").map { UUID(uuidString: String($0)) }
        guard ids.count >= 2, let id = ids[0], let workspace = ids[1] else { return nil }
        let keys = ids.dropFirst(2).compactMap(\.self)
        guard keys.count == ids.count - 2 else { return nil }
        self.init(id: id, keys: FencedKeys(workspace: workspace, keys: keys.isEmpty ? nil : keys))
    }
}
