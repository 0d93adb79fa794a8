public import FoundationEssentials

extension Mortise {
    /// What a token is worth.
    ///
    /// Nothing but `isValid` may be taken for permission.
    ///
    /// ```swift
    /// let verdict = try await client.verify(SecretToken("mks_live_…"), scopes: ["read:orders"])
    /// guard verdict.isValid, let key = verdict.key else {
    ///     print("No:", verdict.code.rawValue)
    ///     return
    /// }
    /// print(key.name, "may", verdict.rateLimit?.remaining ?? .max, "times yet")
    /// ```
    public struct Verdict: Sendable, Hashable {
        /// Why a token is accepted or not; there may be more codes one day, none of which says yes.
        ///
        /// ```swift
        /// let verdict = try await client.verify(SecretToken("mks_live_…"))
        /// let status =
        ///     switch verdict.code {
        ///     case .valid: 200
        ///     case .malformed, .notFound, .disabled, .revoked, .expired: 401
        ///     case .wrongAddress, .wrongMode, .wrongNamespace, .insufficientScope: 403
        ///     case .rateLimited: 429
        ///     case .workspaceUnavailable: 503
        ///     default: 401
        ///     }
        /// print(status, verdict.code.rawValue)
        /// ```
        public struct Code: RawRepresentable, Sendable, Hashable {
            /// The code on the wire.
            public let rawValue: String

            /// Takes a code as it is on the wire.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// It may be accepted.
            public static let valid = Code(rawValue: "valid")
            /// It is not a token at all.
            public static let malformed = Code(rawValue: "malformed")
            /// There is no such key for this credential.
            public static let notFound = Code(rawValue: "not_found")
            /// The key is disabled.
            public static let disabled = Code(rawValue: "disabled")
            /// The key was revoked.
            public static let revoked = Code(rawValue: "revoked")
            /// The key, or this token of it, has expired.
            public static let expired = Code(rawValue: "expired")
            /// The key does not work from that address.
            public static let wrongAddress = Code(rawValue: "wrong_address")
            /// The key is of the other mode.
            public static let wrongMode = Code(rawValue: "wrong_mode")
            /// The key does not work in that namespace.
            public static let wrongNamespace = Code(rawValue: "wrong_namespace")
            /// The key lacks a scope.
            public static let insufficientScope = Code(rawValue: "insufficient_scope")
            /// The key has reached its limit.
            public static let rateLimited = Code(rawValue: "rate_limited")
            /// The key's workspace is not in service.
            public static let workspaceUnavailable = Code(rawValue: "workspace_unavailable")
        }

        /// Whether the token may be accepted.
        public let isValid: Bool
        /// Why, or why not.
        public let code: Code
        /// The key; `nil` unless the token is genuine and the caller's organization owns it.
        public let key: VerifiedKey?
        /// How the tightest limit stands, if the key has one.
        public let rateLimit: RateLimit?
    }

    /// The key that a token opens.
    ///
    /// ```swift
    /// let verdict = try await client.verify(SecretToken("mkc_live_…"), mode: .live)
    /// guard verdict.isValid, let key = verdict.key else { return }
    /// print(key.kind, key.id, key.name, "of", key.subject ?? "nobody", "may", key.scopes)
    /// print("in", key.organizationID, key.workspaceID, key.mode.rawValue, key.metadata["plan"] ?? "free")
    /// if let end = key.expiresAt, end.timeIntervalSinceNow < 7 * 86_400 { print("It is time for another key.") }
    /// ```
    public struct VerifiedKey: Sendable, Hashable, Identifiable {
        /// Its id.
        public let id: String
        /// `service`, `anon` or `client`.
        public let kind: String
        /// The workspace that it belongs to.
        public let workspaceID: String
        /// The organization that it belongs to.
        public let organizationID: String
        /// Its name.
        public let name: String
        /// Whom a client key belongs to.
        public let subject: String?
        /// What it may do.
        public let scopes: [String]
        /// Whether it is for production or for tests.
        public let mode: Key.Mode
        /// When it expires.
        public let expiresAt: Date?
        /// What the application keeps with it.
        public let metadata: [String: JSONContent]
    }

    /// How a limit stands.
    ///
    /// ```swift
    /// let verdict = try await client.verify(SecretToken("mks_live_…"))
    /// if let limit = verdict.rateLimit {
    ///     print(limit.remaining, "of", limit.limit, "are left until", limit.resetAt)
    /// }
    /// ```
    public struct RateLimit: Sendable, Hashable {
        /// How many uses there are in all.
        public let limit: Int
        /// How many of them are left.
        public let remaining: Int
        /// When all of them are there again.
        public let resetAt: Date
    }
}

extension Mortise.Verdict: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        isValid = try answer.bool("valid")
        code = Code(rawValue: try answer.text("code"))
        key = try answer.objectIfAny("key")
        rateLimit = try answer.objectIfAny("rate_limit")
    }
}

extension Mortise.VerifiedKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        kind = try answer.text("kind")
        workspaceID = try answer.text("workspace_id")
        organizationID = try answer.text("organization_id")
        name = try answer.text("name")
        subject = try answer.textIfAny("subject")
        scopes = try answer.texts("scopes")
        mode = Mortise.Key.Mode(rawValue: try answer.text("mode"))
        expiresAt = try answer.timeIfAny("expires_at")
        metadata = try answer.contents("metadata")
    }
}

extension Mortise.RateLimit: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        limit = try answer.integer("limit")
        remaining = try answer.integer("remaining")
        resetAt = try answer.time("reset_at")
    }
}
