/// The parts of a token that are not secret.
public struct ParsedToken: Sendable, Hashable {
    /// The prefix, which by convention names the kind of the key.
    public let prefix: TokenPrefix
    /// The key's mode: live or test traffic.
    public let mode: KeyMode
    /// The reference of the workspace whose database holds the key.
    public let workspaceRef: WorkspaceRef
    /// The first 16 characters of the token, which may be shown.
    public let displayPrefix: DisplayPrefix
}
