import JSON

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// Changes of the settings of a key.
    ///
    /// A setting that is not changed keeps its value.
    ///
    /// The ranges are those of ``KeyDraft``. Clearing the scopes, permissions or metadata leaves none. Clearing any
    /// other setting removes its restriction.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "update")
    public struct KeyChanges: Sendable, Hashable {
        /// The new name, or `nil` to keep the name.
        public var name: String?
        /// The change of the description.
        public var description = Change<String>.keep
        /// The change of the scopes.
        ///
        /// A new array replaces the old one.
        public var scopes = Change<[String]>.keep
        /// The change of the permissions of an admin or operator key.
        ///
        /// A new array replaces the old one.
        public var permissions = Change<[String]>.keep
        /// The change of the namespaces in which the key works.
        ///
        /// A new array replaces the old one.
        public var allowedNamespaces = Change<[String]>.keep
        /// The change of the addresses and ranges from which the key works.
        ///
        /// A new array replaces the old one.
        public var allowedAddresses = Change<[String]>.keep
        /// The change of the maximum number of uses per minute.
        public var rateLimitPerMinute = Change<Int>.keep
        /// The change of the maximum number of uses per hour.
        public var rateLimitPerHour = Change<Int>.keep
        /// The change of the time at which the key expires.
        public var expiresAt = Change<Date>.keep
        /// The change of the metadata.
        ///
        /// A new object replaces the old one.
        public var metadata = Change<[String: JSONContent]>.keep

        /// Creates changes that keep every setting.
        public init() {}

        /// The body of the request.
        var body: JSONObject {
            var body = JSONObject()
            body.add("name", name)
            body.add("description", description, JSONValue.string)
            // An older server takes `null` for most settings, but an empty value for these three.
            body.add("scopes", scopes, cleared: .array([]), \.json)
            body.add("permissions", permissions, cleared: .array([]), \.json)
            body.add("allowed_namespaces", allowedNamespaces, \.json)
            body.add("allowed_ips", allowedAddresses, \.json)
            body.add("rate_limit_per_minute", rateLimitPerMinute) { .integer(Int64($0)) }
            body.add("rate_limit_per_hour", rateLimitPerHour) { .integer(Int64($0)) }
            body.add("expires_at", expiresAt) { .string($0.rfc3339) }
            body.add("metadata", metadata, cleared: .object([:])) { .object(JSONContent.object($0)) }
            return body
        }
    }
}
