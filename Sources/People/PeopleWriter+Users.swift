public import FoundationEssentials
import Postgres
import Tenancy

extension PeopleWriter {
    /// The user's row, under a lock for which sign-ins, changes of a password and changes of the user's roles wait.
    ///
    /// The lock keeps the password's hash and the roles as they were read until the transaction ends.
    private static let lock = Statement("\(Credentials.select) WHERE u.id = $1 FOR UPDATE")
    private static let lockByEmail = Statement("\(Credentials.select) WHERE u.email = $1 FOR UPDATE")
    private static let insert = Statement(
        """
        INSERT INTO control.users AS u (id, email, name, password_hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (email) DO NOTHING RETURNING \(User.columns("u"))
        """
    )
    private static let setPassword = Statement(
        "UPDATE control.users SET password_hash = $2, updated_at = now() WHERE id = $1"
    )
    private static let replaceHash = Statement("UPDATE control.users SET password_hash = $2 WHERE id = $1")
    private static let deleteWithoutRoles = Statement(
        "DELETE FROM control.users u WHERE id = $1 AND NOT EXISTS (SELECT FROM control.members WHERE user_id = u.id)"
    )

    /// Returns a user's credentials, locked until the transaction ends, or `nil` if the user no longer exists.
    public func lockUser(_ user: UUID) async throws -> Credentials? {
        try await connection.query(Self.lock, [user]).first.map(Credentials.init(row:))
    }

    /// Returns a user by the address, locked until the transaction ends.
    public func lockUser(_ email: EmailAddress) async throws -> User? {
        try await connection.query(Self.lockByEmail, [email.text]).first.map { try User(row: $0) }
    }

    /// Inserts a user, or returns `nil` if the address is taken.
    public func insertUser(email: EmailAddress, name: String?, passwordHash: String?) async throws -> User? {
        try await connection.query(Self.insert, [identifiers.id(), email.text, name, passwordHash])
            .first.map { try User(row: $0) }
    }

    /// Sets a user's password.
    public func setPassword(_ hash: String, of user: UUID) async throws {
        try await connection.query(Self.setPassword, [user, hash])
    }

    /// Replaces the hash of a user's password by another hash of the same password.
    ///
    /// The caller has locked the user.
    public func replaceHash(_ hash: String, of user: UUID) async throws {
        try await connection.query(Self.replaceHash, [user, hash])
    }

    /// Deletes a user who has no role any more.
    ///
    /// If such a user stayed and was added again, nobody could tell whose password it has. The caller has locked the
    /// user: a DELETE that waits for a role to be added does not look again whether there is one.
    public func deleteUserWithoutRoles(_ user: UUID) async throws {
        try await connection.query(Self.deleteWithoutRoles, [user])
    }
}
