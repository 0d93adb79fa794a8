import JSON

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The settings of a new key.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "create")
    public struct KeyDraft: Sendable, Hashable {
        /// The name, 1 to 255 characters.
        ///
        /// Names of service keys and admin keys are unique among the keys of a collection that are not revoked.
        public var name: String
        /// The owner of a client key, 1 to 255 characters, by your own id.
        ///
        /// Required for client keys, and forbidden for other keys.
        public var subject: String?
        /// The type of a service key, `service` or `anon`.
        ///
        /// `nil` means `service`. Forbidden for other keys.
        public var type: String?
        /// The mode.
        ///
        /// `nil` means live.
        public var mode: Key.Mode?
        /// The description, at most 2000 characters.
        public var description: String?
        /// The scopes, at most 100, each `*`, `verb:resource` or `verb:*`.
        public var scopes: [String]
        /// The permissions of an admin or operator key, such as `keys:read`.
        ///
        /// Forbidden for other keys.
        ///
        /// An admin key without permissions has none. An operator key without permissions has `platform:*`.
        public var permissions: [String]
        /// The namespaces in which the key works, at most 100: all if `nil`, only `default` if empty.
        public var allowedNamespaces: [String]?
        /// The IP addresses and CIDR ranges from which the key works, at most 100: all if empty.
        public var allowedAddresses: [String]
        /// The maximum number of uses per minute, at least 1.
        ///
        /// `nil` means no limit.
        public var rateLimitPerMinute: Int?
        /// The maximum number of uses per hour, at least 1.
        ///
        /// `nil` means no limit.
        public var rateLimitPerHour: Int?
        /// The time at which the key expires, in the future.
        ///
        /// `nil` means never.
        public var expiresAt: Date?
        /// The data that your application keeps with the key, at most 16 KiB of JSON.
        public var metadata: [String: JSONContent]

        /// Creates a draft.
        ///
        /// A parameter that is left out has the default of its property.
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

        /// The body of the request.
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
}
