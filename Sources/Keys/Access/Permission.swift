/// A right to manage something.
///
/// The raw value is the permission's name in the API and in the database.
public enum Permission: String, Sendable, Hashable, CaseIterable {
    /// Read keys.
    case keysRead = "keys:read"
    /// Create, change, rotate and revoke keys.
    case keysWrite = "keys:write"
    /// Verify tokens.
    case keysVerify = "keys:verify"
    /// Create and change workspaces.
    case workspacesWrite = "workspaces:write"
    /// Create and change members.
    case membersWrite = "members:write"
    /// Read audit events.
    case eventsRead = "events:read"
    /// Read webhooks and their deliveries.
    case webhooksRead = "webhooks:read"
    /// Create, change and delete webhooks.
    case webhooksWrite = "webhooks:write"
    /// Manage the platform: organizations, workspaces, clusters, migrations. It gives no right to the keys inside.
    case platform = "platform:*"

    private static let names = NameTable<Permission>()

    /// Creates the permission with a name, or returns `nil` if no permission has that name.
    public init?(rawValue: String) {
        self.init(utf8: rawValue.utf8.span)
    }

    /// Creates the permission with a name in UTF-8, or returns `nil` if no permission has that name.
    public init?(utf8 name: borrowing Span<UInt8>) {
        guard let permission = Self.names.value(named: name) else { return nil }
        self = permission
    }
}
