/// A named right to manage things; the raw value is the name that the API and the database use.
public enum Permission: String, Sendable, Hashable, CaseIterable {
    /// See keys.
    case keysRead = "keys:read"
    /// Make, change, rotate and revoke keys.
    case keysWrite = "keys:write"
    /// Ask for verdicts on tokens.
    case keysVerify = "keys:verify"
    /// Make and change workspaces.
    case workspacesWrite = "workspaces:write"
    /// Make and change members.
    case membersWrite = "members:write"
    /// See audit events.
    case eventsRead = "events:read"
    /// Manage the platform: organizations, workspaces, clusters, migrations. It gives no right to the keys inside.
    case platform = "platform:*"

    fileprivate var bit: UInt8 {
        switch self {
        case .keysRead: 1 << 0
        case .keysWrite: 1 << 1
        case .keysVerify: 1 << 2
        case .workspacesWrite: 1 << 3
        case .membersWrite: 1 << 4
        case .eventsRead: 1 << 5
        case .platform: 1 << 6
        }
    }
}

/// A set of permissions, each of which stands for itself alone: none implies another.
public struct PermissionSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private let bits: UInt8

    /// The set of these permissions.
    public init(_ permissions: some Sequence<Permission>) {
        bits = permissions.reduce(0) { $0 | $1.bit }
    }

    /// The set of these permissions.
    public init(arrayLiteral permissions: Permission...) { self.init(permissions) }

    /// The set that such names stand for, or `nil` where one of them is no permission.
    public init?(names: [String]) {
        let permissions = names.compactMap(Permission.init(rawValue:))
        guard permissions.count == names.count else { return nil }
        self.init(permissions)
    }

    /// Every permission over one organization: all but the platform's.
    public static let organization = PermissionSet(Permission.allCases.filter { $0 != .platform })

    /// Whether `permission` is in the set.
    public func contains(_ permission: Permission) -> Bool { bits & permission.bit != 0 }

    /// Whether everything in `other` is in this set: what may be handed on.
    public func isSuperset(of other: PermissionSet) -> Bool { other.bits & ~bits == 0 }

    /// Whether nothing is in the set.
    public var isEmpty: Bool { bits == 0 }

    /// The permissions, in the order of their declaration.
    public var permissions: [Permission] { Permission.allCases.filter(contains) }

    /// The names of the permissions, in the order of their declaration.
    public var names: [String] { permissions.map(\.rawValue) }
}
