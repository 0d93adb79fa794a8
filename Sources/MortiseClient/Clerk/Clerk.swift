public import FoundationEssentials

/// What the manager of Clerk's client works with; it calls the server at `/clerk`.
///
/// ```swift
/// let key: Clerk.APIKeyResource = try await client.apiKeys.create(name: "My key", description: "For my laptop")
/// print(key.id)
/// ```
public enum Clerk {
    /// A key of a user or an organization of the application.
    ///
    /// ```swift
    /// let page = try await client.apiKeys.getAll(subject: "user_2abcdefghijklmnopqrstuvwxyz")
    /// for key in page.data {
    ///     print(key.name, key.description ?? "", key.scopes, key.expiration ?? .distantFuture)
    ///     if case .object(let claims) = key.claims { print("on the plan", claims["plan"] ?? "free") }
    ///     let isForgotten = (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400
    ///     if isForgotten { print("Does", key.createdBy ?? key.subject, "still need", key.id) }
    /// }
    /// ```
    ///
    /// The secret is in the answer to the creation alone:
    ///
    /// ```swift
    /// let key = try await client.apiKeys.create(name: "My key", secondsUntilExpiration: 86_400)
    /// try key.secret?.reveal().write(toFile: "my.key", atomically: true, encoding: .utf8)
    /// let ended = try await client.apiKeys.revoke(apiKeyID: key.id, revocationReason: "lost")
    /// if ended.isRevoked { print(ended.type, "revoked at", ended.updatedAt, ended.revocationReason ?? "") }
    /// if ended.isExpired { print("Its day was over in any case.") }
    /// ```
    public struct APIKeyResource: Sendable, Hashable, Identifiable {
        /// Its id, `ak_` and 32 hexadecimal digits.
        public let id: String
        /// `api_key`.
        public let type: String
        /// The user (`user_…`) or organization (`org_…`) that it belongs to.
        public let subject: String
        /// Its name, unique for the subject.
        public let name: String
        /// What it is for.
        public let description: String?
        /// What the application's backend says of it.
        public let claims: JSONContent?
        /// What it may do, as the application's backend says.
        public let scopes: [String]
        /// Its token; only in the answer that made it.
        public let secret: SecretToken?
        /// Whether it was revoked.
        public let isRevoked: Bool
        /// Why it was revoked.
        public let revocationReason: String?
        /// Whether its time is up.
        public let isExpired: Bool
        /// When it expires; never when `nil`.
        public let expiration: Date?
        /// The user who made it.
        public let createdBy: String?
        /// When it was last used.
        public let lastUsedAt: Date?
        /// When it was made.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date
    }

    /// A part of a list, and how long the whole is.
    ///
    /// ```swift
    /// let third = try await client.apiKeys.getAll(initialPage: 3, pageSize: 10)
    /// print(third.data.count, "of", third.totalCount)
    /// ```
    public struct PaginatedResponse<Item: Sendable & Hashable>: Sendable, Hashable {
        /// The items of the page.
        public let data: [Item]
        /// How many items all pages have.
        public let totalCount: Int
    }
}

extension Clerk.APIKeyResource: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        type = try answer.text("type")
        subject = try answer.text("subject")
        name = try answer.text("name")
        description = try answer.textIfAny("description")
        claims = answer.content("claims")
        scopes = try answer.texts("scopes")
        secret = try answer.textIfAny("secret").map(SecretToken.init)
        isRevoked = try answer.bool("revoked")
        revocationReason = try answer.textIfAny("revocation_reason")
        isExpired = try answer.bool("expired")
        expiration = try answer.millisecondsIfAny("expiration")
        createdBy = try answer.textIfAny("created_by")
        lastUsedAt = try answer.millisecondsIfAny("last_used_at")
        createdAt = try answer.milliseconds("created_at")
        updatedAt = try answer.milliseconds("updated_at")
    }
}

extension Clerk.PaginatedResponse: AnswerReadable where Item: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        data = try answer.objects("data")
        totalCount = try answer.integer("total_count")
    }
}
