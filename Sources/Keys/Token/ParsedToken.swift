/// What a token says openly, none of which opens anything.
public struct ParsedToken: Sendable, Hashable {
    /// The first part, by convention the kind of the key.
    public let prefix: TokenPrefix
    /// Whether the key is for live or for test traffic.
    public let mode: KeyMode
    /// The workspace whose database knows the key.
    public let workspaceRef: WorkspaceRef
    /// The first 16 characters, which may be shown.
    public let displayPrefix: DisplayPrefix
}
