public import FoundationEssentials
import Postgres

/// A user and the hash of the user's password.
public struct Credentials: Sendable {
    /// The user.
    public let user: User
    /// The hash, or `nil` for a user without a password.
    public let passwordHash: String?
}

extension PeopleStore {
    private static let byEmail = Statement("\(Credentials.select) WHERE u.email = $1")
    private static let byID = Statement("\(Credentials.select) WHERE u.id = $1")

    /// Returns a user's credentials by the user's address.
    public func credentials(of email: EmailAddress) async throws -> Credentials? {
        try await connection.query(Self.byEmail, [email.text]).first.map(Credentials.init(row:))
    }

    /// Returns a user's credentials by the user's id.
    public func credentials(of user: UUID) async throws -> Credentials? {
        try await connection.query(Self.byID, [user]).first.map(Credentials.init(row:))
    }

    private static let boundOwner = Statement(
        """
        SELECT EXISTS (
            SELECT FROM control.users u JOIN control.members m ON m.user_id = u.id
            WHERE u.identity_issuer = $1 AND u.disabled_at IS NULL AND m.role = 'owner' AND m.workspace_id IS NULL)
        """
    )

    /// Returns true if a subject of an issuer is bound to an owner of an organization.
    public func hasOwner(boundTo issuer: String) async throws -> Bool {
        try await connection.query(Self.boundOwner, [issuer]).first?.decode(0) ?? false
    }
}
