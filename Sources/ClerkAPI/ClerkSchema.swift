import Endpoints
import JSON
import Keys

/// The schemas of the dialect's bodies and queries.
enum ClerkSchema {
    /// The default type of a new key, and of the keys in a list.
    static let defaultType = "api_key"

    /// The schema of a subject: an id of the application.
    static let subject = Schema.string(
        TextFormat(
            pattern: ClerkSubject.pattern,
            detail: "must be an id of a user, an organization, a machine or a directory",
            maximumLength: 64
        ) { ClerkSubject($0) != nil }
    )

    /// The schema of a subject in a session: an id of a user or an organization, or an empty text for the session's own subject.
    static let sessionSubject = Schema.string(
        TextFormat(
            pattern: "^((user|org)_\\w{27})?$",
            detail: "must be an id of a user or an organization",
            maximumLength: 64
        ) { $0.isEmpty || [.user, .organization].contains(ClerkSubject($0)?.kind) }
    )

    private static let user = Schema.string(
        TextFormat(pattern: "^user_\\w{27}$", detail: "must be an id of a user", maximumLength: 64) {
            ClerkSubject.user($0) != nil
        }
    )

    private static let name = Schema.string(
        min: 3,
        max: 255,
        TextFormat(
            pattern: "^(\\S(.*\\S)?)?$",
            detail: "must have no white space at its ends and no line breaks",
            maximumLength: 255,
            matches: isName
        )
    )

    private static let description = Schema.string(max: 255)
    private static let type = Schema.string(min: 3, max: 25)
    private static let claims = Schema.anyJSON(maximumBytes: 16_384)
    private static let scopes = Schema.array(of: .string(min: 1, max: 255), max: ScopeSet.maximumCount)

    private static let lifetime = Schema.number(nil)
        .checked { ($0.number?.double ?? 0) > 0 ? nil : "must be greater than 0" }

    /// The schema of a body whose rules depend on the caller.
    static let anyBody = Schema.anyObject(maximumBytes: 65_536)

    /// The schema of the body that creates a key, with the secret key.
    static let create =
        Schema.object([
            .required("name", name),
            .required("subject", subject),
            .optional("type", type),
            .optional("description", description.orNull),
            .optional("claims", claims.orNull),
            .optional("scopes", scopes),
            .optional("created_by", user.orNull),
            .optional("seconds_until_expiration", lifetime.orNull),
        ])
        .named("ClerkAPIKeyCreate")

    /// The schema of the body that creates a key, in a session.
    ///
    /// It has no scopes: the application's backend sets them, not its users.
    static let createInSession = Schema.object([
        .required("name", name),
        .optional("subject", sessionSubject),
        .optional("type", .oneOf(defaultType)),
        .optional("description", description.orNull),
        .optional("seconds_until_expiration", lifetime.orNull),
    ])

    /// The schema of the body that changes a key, with the secret key.
    static let update =
        Schema.object([
            .optional("subject", subject),
            .optional("description", description.orNull),
            .optional("claims", claims.orNull),
            .optional("scopes", scopes),
            .optional("seconds_until_expiration", lifetime.orNull),
        ])
        .named("ClerkAPIKeyUpdate")

    /// The schema of the body that changes a key, in a session.
    static let updateInSession = Schema.object([.optional("description", description.orNull)])

    /// The schema of the body that revokes a key.
    static let revoke =
        Schema.object([.optional("revocation_reason", .string(max: 2000).orNull)]).named("ClerkAPIKeyRevocation")

    /// The schema of the body that verifies a secret.
    static let verify =
        Schema.object([.required("secret", .string(max: 4096))]).named("ClerkAPIKeyVerification")

    /// The query parameters of lists.
    ///
    /// Clients add their own parameters, such as `__clerk_api_version`, and send numbers with a fraction of zero.
    static let list = QuerySchema(
        [
            QueryParameter("subject", .string(max: 64), "The owner of the keys."),
            QueryParameter("type", .string(min: 3, max: 25), "Only keys of this type.", default: .string(defaultType)),
            QueryParameter("include_invalid", .boolean, "Include revoked and expired keys.", default: false),
            QueryParameter("limit", whole(1, 100), "The maximum number of keys in the answer.", default: 10),
            QueryParameter("offset", whole(0, 0x1p53), "The number of keys to skip.", default: 0),
            // The browser's client splits a text at its commas into several parameters.
            QueryParameter("query", .string(max: 255), "A part of the name.", repeated: true),
        ],
        unknown: .ignored
    )

    private static func whole(_ least: Double, _ most: Double) -> Schema {
        .number(least...most).checked { $0.number?.int64 == nil ? "must be a whole number" : nil }
    }

    /// True if a text is a valid name: no white space at its ends, and no line terminator (ECMA-262, section 12.3).
    private static func isName(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return true }
        guard !first.isBlank, !last.isBlank else { return false }
        return !scalars.contains { ["\n", "\r", "\u{2028}", "\u{2029}"].contains($0) }
    }
}

extension Unicode.Scalar {
    /// True if ECMA-262 counts the scalar as white space: Unicode's white space without U+0085, and the byte order mark.
    fileprivate var isBlank: Bool { (properties.isWhitespace && self != "\u{85}") || self == "\u{FEFF}" }
}
