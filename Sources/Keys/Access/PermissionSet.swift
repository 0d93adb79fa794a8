/// A set of permissions.
///
/// No permission implies another.
public struct PermissionSet: Sendable, Hashable, ExpressibleByArrayLiteral {
    private let bits: UInt16

    /// Creates a set of permissions.
    public init(_ permissions: some Sequence<Permission>) {
        bits = permissions.reduce(0) { $0 | $1.bit }
    }

    /// Creates a set of permissions.
    public init(arrayLiteral permissions: Permission...) { self.init(permissions) }

    /// Creates the set of the permissions with these names, or returns `nil` if a name is not a permission's.
    public init?(names: [String]) {
        var bits: UInt16 = 0
        for name in names {
            guard let permission = Permission(rawValue: name) else { return nil }
            bits |= permission.bit
        }
        self.bits = bits
    }

    /// Every permission over one organization, which is every permission except the platform's.
    public static let organization = PermissionSet(Permission.allCases.filter { $0 != .platform })

    /// Returns true if the set contains a permission.
    public func contains(_ permission: Permission) -> Bool { bits & permission.bit != 0 }

    /// Returns true if the set contains every permission of another set, so that its holder may grant the other set.
    public func isSuperset(of other: PermissionSet) -> Bool { other.bits & ~bits == 0 }

    /// True if the set contains no permission.
    public var isEmpty: Bool { bits == 0 }

    /// The permissions, in the order of their declaration.
    public var permissions: [Permission] { Permission.allCases.filter(contains) }

    /// The names of the permissions, in the order of their declaration.
    public var names: [String] { permissions.map(\.rawValue) }
}

extension Permission {
    fileprivate var bit: UInt16 {
        switch self {
        case .keysRead: 1 << 0
        case .keysWrite: 1 << 1
        case .keysVerify: 1 << 2
        case .workspacesWrite: 1 << 3
        case .membersWrite: 1 << 4
        case .eventsRead: 1 << 5
        case .platform: 1 << 6
        case .webhooksRead: 1 << 7
        case .webhooksWrite: 1 << 8
        }
    }
}
