import Endpoints
import FoundationEssentials
import JSON
import Keys
import Service
import Surfaces

/// Turns validated bodies and paths into drafts, changes and ids.
enum FluxbaseInput {
    /// The rate limit of a client key that is created without one, as in Fluxbase.
    private static let defaultLimit = 100

    /// Returns the draft of a client key for a subject.
    static func clientKey(_ body: Fields, subject: String) throws -> KeyDraft {
        let limit: Int = try body.optional("rate_limit_per_minute") ?? 0
        var draft = KeyDraft(
            name: try body.required("name"),
            description: try body.optional("description"),
            kind: .client,
            scopes: scopes(try body.required("scopes")),
            allowedNamespaces: try body.optional("allowed_namespaces"),
            rateLimitPerMinute: limit == 0 ? defaultLimit : limit,
            expiresAt: try body.optional("expires_at").flatMap(Timestamp.init(rfc3339:))
        )
        draft.subject = subject
        draft.acceptsPastExpiry = true
        return draft
    }

    /// Returns the draft of a service key.
    static func serviceKey(_ body: Fields) throws -> KeyDraft {
        let kind: KeyKind = try body.optional("key_type", as: String.self) == KeyKind.anon.rawValue ? .anon : .service
        var draft = KeyDraft(
            name: try body.required("name"),
            description: try body.optional("description"),
            kind: kind,
            scopes: scopes(try body.optional("scopes") ?? [kind == .anon ? "read" : "*"]),
            allowedNamespaces: try body.optional("allowed_namespaces"),
            rateLimitPerMinute: try body.optional("rate_limit_per_minute"),
            rateLimitPerHour: try body.optional("rate_limit_per_hour"),
            expiresAt: try body.optional("expires_at").flatMap(Timestamp.init(rfc3339:))
        )
        // Fluxbase's documents create keys with an end that has passed.
        draft.acceptsPastExpiry = true
        return draft
    }

    /// Returns a change of a key.
    ///
    /// An absent or null member stays as it is.
    static func patch(_ body: Fields) throws -> KeyPatch {
        var patch = KeyPatch()
        if let name: String = try body.optional("name") { patch.name = .set(name) }
        if let text: String = try body.optional("description") { patch.description = .set(text) }
        if let texts: [String] = try body.optional("scopes") { patch.scopes = .set(scopes(texts)) }
        if let names: [String] = try body.optional("allowed_namespaces") { patch.allowedNamespaces = .set(names) }
        if let limit: Int = try body.optional("rate_limit_per_minute") { patch.rateLimitPerMinute = .set(limit) }
        if let limit: Int = try body.optional("rate_limit_per_hour") { patch.rateLimitPerHour = .set(limit) }
        if let isEnabled: Bool = try body.optional("enabled") { patch.isEnabled = .set(isEnabled) }
        if let end = try body.optional("expires_at").flatMap(Timestamp.init(rfc3339:)) { patch.expiry = .set(.at(end)) }
        return patch
    }

    /// True if the change of a key disables it.
    static func disables(_ body: Fields) -> Bool { (try? body.optional("enabled", as: Bool.self)) == false }

    /// True if the change of a service key names a setting.
    static func namesSetting(_ body: Fields) -> Bool {
        let settings = [
            "name", "description", "scopes", "allowed_namespaces", "enabled", "rate_limit_per_minute",
            "rate_limit_per_hour", "expires_at",
        ]
        return settings.contains { body.object[$0].map { !$0.isNull } ?? false }
    }

    /// Returns the settings of a key that replaces another one.
    static func replacement(_ body: Fields) throws -> KeyReplacement {
        var replacement = KeyReplacement()
        if FluxbaseGrace.isNamed(in: body) { replacement.grace = try FluxbaseGrace.period(body) }
        replacement.name = try body.optional("new_key_name")
        replacement.scopes = try body.optional("new_scopes", as: [String].self).map(scopes)
        return replacement
    }

    private static func scopes(_ texts: [String]) -> [Scope] { ScopeSet(freeForm: texts).scopes }

    /// Returns the metadata of a tenant, as the text of a JSON object.
    static func metadata(_ body: Fields) throws -> String? {
        try body.optional("metadata", as: JSONObject.self).map { JSONValue.object($0).text }
    }

    // MARK: Ids

    /// Parses an id in either case.
    ///
    /// `nil` for any other text.
    static func id(_ text: String) -> UUID? {
        TextFormat.uuid.matches(text) ? UUIDv7.parse(text.lowercased()) : nil
    }

    /// Returns a tenant's id in lower case, or its slug unchanged.
    static func idOrSlug(_ text: String) -> String { id(text).map(UUIDv7.text(of:)) ?? text }

    /// Returns the id in a path.
    ///
    /// Fluxbase distinguishes a malformed id from an unknown id. The distinction reveals nothing about what exists.
    static func id(_ request: FluxbaseRequest, _ name: String = "id", of noun: String) throws -> UUID {
        guard let id = id(try request.parameter(name)) else {
            throw Problem(.invalidRequest, code: FluxbaseProblems.Code.invalidID, detail: "Invalid \(noun) ID")
        }
        return id
    }
}
