public import FoundationEssentials
public import Keys

/// Who asks, after authentication.
public struct Principal: Sendable {
    /// How far the credential reaches.
    public enum Reach: Sendable, Hashable {
        /// Organizations, workspaces, clusters and migrations, but not the keys inside a workspace.
        case platform
        /// One organization and everything in it.
        case organization(UUID)
    }

    /// The key that was presented.
    public let keyID: UUID
    /// Its secret.
    public let secretID: UUID
    /// Its name.
    public let name: String
    /// How far it reaches.
    public let reach: Reach
    /// What it may do.
    public let permissions: PermissionSet
    private let isSystem: Bool

    /// Describes who asks.
    public init(keyID: UUID, secretID: UUID, name: String, reach: Reach, permissions: PermissionSet) {
        self.keyID = keyID
        self.secretID = secretID
        self.name = name
        self.reach = reach
        self.permissions = permissions
        self.isSystem = false
    }

    /// The program itself, which no credential can be.
    private init(system id: UUID) {
        self.keyID = id
        self.secretID = id
        self.name = "system"
        self.reach = .platform
        self.permissions = [.platform]
        self.isSystem = true
    }

    /// The program itself, for what nobody asked for: a first start.
    static let system = Principal(system: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))

    /// How events and idempotency name it.
    public var actor: String {
        if self.isSystem { return "system" }
        let id = self.keyID.uuidString.lowercased()
        return switch self.reach {
        case .platform: "operator-key:\(id)"
        case .organization: "admin-key:\(id)"
        }
    }

    /// The organization of an admin key.
    public var organizationID: UUID? {
        if case .organization(let id) = self.reach { id } else { nil }
    }

    /// Refuses unless the credential has a permission.
    ///
    /// What an operator key does where it reaches takes `platform:*`, whatever an admin key would need for it.
    public func require(_ permission: Permission) throws(Refusal) {
        let needed = self.reach == .platform ? Permission.platform : permission
        guard self.permissions.contains(needed) else { throw .forbidden(needed) }
    }

    /// Refuses unless this is an operator key with a permission.
    public func requirePlatform(_ permission: Permission) throws(Refusal) {
        guard self.reach == .platform else { throw .forbiddenKind("This needs an operator key.") }
        try self.require(permission)
    }

    /// Refuses unless the credential reaches into an organization.
    ///
    /// The organization itself is then not told to exist.
    public func requireReach(into organization: UUID) throws(Refusal) {
        switch self.reach {
        case .platform: try self.require(.platform)
        case .organization(organization): return
        case .organization: throw .notFound
        }
    }
}

/// One request of a principal: who, from where, under which id.
public struct Caller: Sendable {
    /// Who asks.
    public let principal: Principal
    /// Where the request came from.
    public let address: String?
    /// The request, as the logs name it.
    public let requestID: String?
    /// The `Idempotency-Key`, if the request carries one.
    public let idempotency: IdempotentRequest?

    /// Describes a request.
    public init(principal: Principal, address: String?, requestID: String?, idempotency: IdempotentRequest? = nil) {
        self.principal = principal
        self.address = address
        self.requestID = requestID
        self.idempotency = idempotency
    }
}

/// What makes two requests the same, for `Idempotency-Key`.
public struct IdempotentRequest: Sendable {
    /// The header's value as it came.
    public let key: String
    /// The method.
    public let method: String
    /// The path as it was resolved: with ids, not slugs.
    public let path: String
    /// The raw query.
    public let query: String
    /// The raw body.
    public let body: [UInt8]

    /// Describes a request.
    public init(key: String, method: String, path: String, query: String, body: [UInt8]) {
        self.key = key
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}
