public import FoundationEssentials
import JSON

extension Mortise {
    /// A key that is to be made.
    ///
    /// ```swift
    /// var draft = Mortise.KeyDraft(name: "CI", scopes: ["read:orders"])
    /// draft.description = "the nightly build"
    /// draft.mode = .test
    /// draft.allowedAddresses = ["203.0.113.7", "2001:db8::/32"]
    /// draft.allowedNamespaces = ["eu"]
    /// draft.rateLimitPerHour = 5000
    /// draft.expiresAt = Date(timeIntervalSinceNow: 90 * 86_400)
    /// draft.metadata = ["team": "platform"]
    /// let issued = try await client.keys(.service(workspace: "shop")).create(draft)
    /// print(issued.key.id)
    /// ```
    public struct KeyDraft: Sendable, Hashable {
        /// The name, 1 to 255 characters.
        public var name: String
        /// Whom a client key belongs to; required there, and absent elsewhere.
        public var subject: String?
        /// `service` or `anon` for service keys; `service` when absent.
        public var type: String?
        /// For production, which is the default, or for tests.
        public var mode: Key.Mode?
        /// What it is for, for people.
        public var description: String?
        /// What it may do: `*`, `verb:resource` or `verb:*`.
        public var scopes: [String]
        /// What an admin or operator key may do in this API, such as `keys:read`.
        public var permissions: [String]
        /// The namespaces in which it works: all when `nil`, only the default one when empty.
        public var allowedNamespaces: [String]?
        /// The addresses and CIDR ranges from which it works; all when empty.
        public var allowedAddresses: [String]
        /// How often a minute it may be used; unlimited when `nil`.
        public var rateLimitPerMinute: Int?
        /// How often an hour it may be used; unlimited when `nil`.
        public var rateLimitPerHour: Int?
        /// When it expires; never when `nil`.
        public var expiresAt: Date?
        /// What the application keeps with it, 16 KiB at most.
        public var metadata: [String: JSONContent]

        /// Describes a key; what is absent has the default of its property.
        ///
        /// ```swift
        /// let phone = Mortise.KeyDraft(name: "phone", subject: "user_42", rateLimitPerMinute: 60)
        /// let issued = try await client.keys(.client(workspace: "shop")).create(phone)
        /// print(issued.key.subject ?? "")
        /// let site = Mortise.KeyDraft(name: "site", type: "anon", scopes: ["read:*"])
        /// print(try await client.keys(.service(workspace: "shop")).create(site).key.type ?? "")
        /// let robot = Mortise.KeyDraft(name: "robot", permissions: ["keys:read", "keys:write"])
        /// print(try await client.keys(.admin(organization: "acme")).create(robot).key.permissions)
        /// ```
        public init(
            name: String,
            subject: String? = nil,
            type: String? = nil,
            mode: Key.Mode? = nil,
            description: String? = nil,
            scopes: [String] = [],
            permissions: [String] = [],
            allowedNamespaces: [String]? = nil,
            allowedAddresses: [String] = [],
            rateLimitPerMinute: Int? = nil,
            rateLimitPerHour: Int? = nil,
            expiresAt: Date? = nil,
            metadata: [String: JSONContent] = [:]
        ) {
            self.name = name
            self.subject = subject
            self.type = type
            self.mode = mode
            self.description = description
            self.scopes = scopes
            self.permissions = permissions
            self.allowedNamespaces = allowedNamespaces
            self.allowedAddresses = allowedAddresses
            self.rateLimitPerMinute = rateLimitPerMinute
            self.rateLimitPerHour = rateLimitPerHour
            self.expiresAt = expiresAt
            self.metadata = metadata
        }

        var body: JSONObject {
            var body = JSONObject()
            body.add("name", name)
            body.add("subject", subject)
            body.add("type", type)
            body.add("mode", mode?.rawValue)
            body.add("description", description)
            if !scopes.isEmpty { body.add("scopes", scopes) }
            if !permissions.isEmpty { body.add("permissions", permissions) }
            body.add("allowed_namespaces", allowedNamespaces)
            if !allowedAddresses.isEmpty { body.add("allowed_ips", allowedAddresses) }
            body.add("rate_limit_per_minute", rateLimitPerMinute)
            body.add("rate_limit_per_hour", rateLimitPerHour)
            body.add("expires_at", expiresAt)
            if !metadata.isEmpty { body["metadata"] = .object(JSONContent.object(metadata)) }
            return body
        }
    }

    /// What is to become of a key's settings; what is not set stays.
    ///
    /// ```swift
    /// var changes = Mortise.KeyChanges()
    /// changes.permissions = .set(["keys:read", "events:read"])
    /// changes.expiresAt = .clear
    /// let key = try await client.keys(.operator).update("0198c0de-0000-7000-8000-000000000001", changes)
    /// print(key.permissions)
    /// ```
    ///
    /// What is cleared has the default of a new key again:
    ///
    /// ```swift
    /// var changes = Mortise.KeyChanges()
    /// changes.description = .clear
    /// changes.scopes = .set(["read:orders", "read:items"])
    /// changes.allowedAddresses = .set(["192.0.2.0/24"])
    /// changes.allowedNamespaces = .clear
    /// changes.rateLimitPerMinute = .set(600)
    /// changes.rateLimitPerHour = .clear
    /// changes.metadata = .set(["team": "platform"])
    /// let keys = client.keys(.service(workspace: "shop"))
    /// print(try await keys.update("0198c0de-0000-7000-8000-000000000001", changes).updatedAt)
    /// ```
    public struct KeyChanges: Sendable, Hashable {
        /// The new name.
        public var name: String?
        /// What it is for.
        public var description = Change<String>.keep
        /// What it may do; the new list replaces the old one.
        public var scopes = Change<[String]>.keep
        /// What an admin or operator key may do in this API.
        public var permissions = Change<[String]>.keep
        /// The namespaces in which it works.
        public var allowedNamespaces = Change<[String]>.keep
        /// The addresses and ranges from which it works.
        public var allowedAddresses = Change<[String]>.keep
        /// How often a minute it may be used.
        public var rateLimitPerMinute = Change<Int>.keep
        /// How often an hour it may be used.
        public var rateLimitPerHour = Change<Int>.keep
        /// When it expires.
        public var expiresAt = Change<Date>.keep
        /// What the application keeps with it.
        public var metadata = Change<[String: JSONContent]>.keep

        /// Changes nothing yet.
        ///
        /// ```swift
        /// var changes = Mortise.KeyChanges()
        /// changes.name = "CI of the shop"
        /// let key = try await client.keys(.operator).update("0198c0de-0000-7000-8000-000000000001", changes)
        /// print(key.name)
        /// ```
        public init() {}

        var body: JSONObject {
            var body = JSONObject()
            body.add("name", name)
            body.add("description", description, JSONValue.string)
            body.add("scopes", scopes, \.json)
            body.add("permissions", permissions, \.json)
            body.add("allowed_namespaces", allowedNamespaces, \.json)
            body.add("allowed_ips", allowedAddresses, \.json)
            body.add("rate_limit_per_minute", rateLimitPerMinute) { .integer(Int64($0)) }
            body.add("rate_limit_per_hour", rateLimitPerHour) { .integer(Int64($0)) }
            body.add("expires_at", expiresAt) { .string($0.rfc3339) }
            body.add("metadata", metadata) { .object(JSONContent.object($0)) }
            return body
        }
    }
}
