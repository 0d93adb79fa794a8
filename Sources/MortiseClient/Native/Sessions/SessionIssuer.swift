#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A session issuer: the identity provider of an application, whose users manage their own client keys.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "issuers")
    public struct SessionIssuer: Sendable, Hashable, Identifiable {
        /// The id of the session issuer.
        public let id: String
        /// The id of the organization whose client keys the users manage.
        public let organizationID: String
        /// The claim `iss` of the session tokens.
        public let issuer: String
        /// The URL of the public keys, or `nil` if they come from elsewhere.
        public let jwksURL: String?
        /// The path of the file with the public keys, or `nil` if they come from elsewhere.
        public let jwksFile: String?
        /// True if the public keys were in the request that added the issuer.
        public let hasInlineJWKS: Bool
        /// The signature algorithms of accepted session tokens.
        public let algorithms: [String]
        /// The accepted values of the claim `azp`: all if empty.
        public let authorizedParties: [String]
        /// The accepted values of the claim `aud`.
        ///
        /// Empty if a token must not have the claim.
        public let audiences: [String]
        /// The roles that can read the keys of the application's organizations.
        public let readRoles: [String]
        /// The roles that can read, create and revoke the keys of the application's organizations.
        public let manageRoles: [String]
        /// The time at which the session issuer was added.
        public let createdAt: Date
    }
}

extension Mortise.SessionIssuer: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        organizationID = try answer.text("organization_id")
        issuer = try answer.text("issuer")
        jwksURL = try answer.textIfAny("jwks_url")
        jwksFile = try answer.textIfAny("jwks_file")
        hasInlineJWKS = try answer.bool("has_inline_jwks")
        algorithms = try answer.texts("algorithms")
        authorizedParties = try answer.texts("authorized_parties")
        audiences = try answer.textsIfAny("audiences") ?? []
        readRoles = try answer.texts("read_roles")
        manageRoles = try answer.texts("manage_roles")
        createdAt = try answer.time("created_at")
    }
}
