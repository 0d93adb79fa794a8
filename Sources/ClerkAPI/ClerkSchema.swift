import Endpoints
import JSON
import Keys

/// What the bodies and queries of the dialect must be like.
enum ClerkSchema {
    /// The type of a key that is made without one, and of the keys that a list shows when it is not asked for another.
    static let defaultType = "api_key"

    /// An id of the application: whose a key is.
    static let subject = Schema.string(
        TextFormat(
            pattern: ClerkSubject.pattern,
            detail: "must be an id of a user, an organization, a machine or a directory",
            maximumLength: 64
        ) { ClerkSubject($0) != nil }
    )

    /// An id of one of the application's users or organizations, or nothing: the session says who then.
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

    /// A body whose rules depend on whoever asks.
    static let anyBody = Schema.anyObject(maximumBytes: 65_536)

    /// The body of a creation with the secret key.
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

    /// The body of a creation in a session.
    ///
    /// What a key may do is said by the application's backend, not by its users.
    static let createInSession = Schema.object([
        .required("name", name),
        .optional("subject", sessionSubject),
        .optional("type", .oneOf(defaultType)),
        .optional("description", description.orNull),
        .optional("seconds_until_expiration", lifetime.orNull),
    ])

    /// The body of a change with the secret key.
    static let update =
        Schema.object([
            .optional("subject", subject),
            .optional("description", description.orNull),
            .optional("claims", claims.orNull),
            .optional("scopes", scopes),
            .optional("seconds_until_expiration", lifetime.orNull),
        ])
        .named("ClerkAPIKeyUpdate")

    /// The body of a change in a session.
    static let updateInSession = Schema.object([.optional("description", description.orNull)])

    /// The body of a revocation.
    static let revoke =
        Schema.object([.optional("revocation_reason", .string(max: 2000).orNull)]).named("ClerkAPIKeyRevocation")

    /// The body of a verification.
    static let verify =
        Schema.object([.required("secret", .string(max: 4096))]).named("ClerkAPIKeyVerification")

    /// The query of lists.
    ///
    /// Clients send parameters of their own, such as `__clerk_api_version`, and numbers with a fraction of zero.
    static let list = QuerySchema(
        [
            QueryParameter("subject", .string(max: 64), "Whose keys."),
            QueryParameter("type", .string(min: 3, max: 25), "Keys of this type.", default: .string(defaultType)),
            QueryParameter("include_invalid", .boolean, "Revoked and expired keys too.", default: false),
            QueryParameter("limit", whole(1, 100), "How many keys are returned at most.", default: 10),
            QueryParameter("offset", whole(0, 0x1p53), "How many keys are left out first.", default: 0),
            // The browser's client spreads a text over several parameters at its commas.
            QueryParameter("query", .string(max: 255), "A part of the name.", repeated: true),
        ],
        unknown: .ignored
    )

    private static func whole(_ least: Double, _ most: Double) -> Schema {
        .number(least...most).checked { $0.number?.int64 == nil ? "must be a whole number" : nil }
    }

    /// The rule of `name`: what is not white space at both ends, and no line terminators (ECMA-262 section 12.3) anywhere.
    private static func isName(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return true }
        guard !first.isBlank, !last.isBlank else { return false }
        return !scalars.contains { ["\n", "\r", "\u{2028}", "\u{2029}"].contains($0) }
    }
}

extension Unicode.Scalar {
    /// Whether ECMA-262 takes it for white space: Unicode's white space, but for the next-line character, and the byte order mark.
    fileprivate var isBlank: Bool { (properties.isWhitespace && self != "\u{85}") || self == "\u{FEFF}" }
}
