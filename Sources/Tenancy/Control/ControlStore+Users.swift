public import FoundationEssentials
import Keys
import Postgres

extension ControlStore {
    private static let columns = User.columns("u")
    private static let credentials = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.email = $1"
    )
    private static let credentialsByID = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.id = $1"
    )
    private static let insert = Statement(
        """
        INSERT INTO control.users AS u (id, email, name, password_hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (email) DO NOTHING RETURNING \(columns)
        """
    )
    private static let setPassword = Statement(
        "UPDATE control.users SET password_hash = $2, updated_at = now() WHERE id = $1"
    )
    private static let replacePassword = Statement(
        "UPDATE control.users SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
    )
    private static let setName = Statement("UPDATE control.users SET name = $2, updated_at = now() WHERE id = $1")
    private static let deleteIfNowhere = Statement(
        "DELETE FROM control.users u WHERE id = $1 AND NOT EXISTS (SELECT FROM control.members WHERE user_id = u.id)"
    )
    private static let anyMember = Statement("SELECT EXISTS (SELECT FROM control.members WHERE organization_id = $1)")

    /// A user and the hash of their password, if they have one.
    public func credentials(of email: EmailAddress) async throws -> (user: User, passwordHash: String?)? {
        try await self.connection.query(Self.credentials, [email.text]).first
            .map { (try User(row: $0), try $0.decode(User.columnCount)) }
    }

    /// The same by id.
    public func credentials(of user: UUID) async throws -> (user: User, passwordHash: String?)? {
        try await self.connection.query(Self.credentialsByID, [user]).first
            .map { (try User(row: $0), try $0.decode(User.columnCount)) }
    }

    /// Makes a user, or returns `nil` when the address is taken.
    public func insertUser(email: EmailAddress, name: String?, passwordHash: String?) async throws -> User? {
        if let name { try Self.check(name: name) }
        return try await self.connection.query(Self.insert, [self.identifiers.id(), email.text, name, passwordHash])
            .first.map { try User(row: $0) }
    }

    /// Gives a user another password.
    public func setPassword(_ hash: String, of user: UUID) async throws {
        try await self.connection.query(Self.setPassword, [user, hash])
    }

    /// Replaces a hash by another one of the same password, unless the password was changed meanwhile.
    public func rehashPassword(_ hash: String, replacing old: String, of user: UUID) async throws {
        try await self.connection.query(Self.replacePassword, [user, hash, old])
    }

    /// Gives a user another name, or takes it away.
    public func setName(_ name: String?, of user: UUID) async throws {
        if let name { try Self.check(name: name) }
        try await self.connection.query(Self.setName, [user, name])
    }

    /// Removes a user who is a member of nothing any more.
    ///
    /// Nobody could tell whose password it is that such a user would be added with again.
    public func deleteUserIfNowhere(_ user: UUID) async throws {
        try await self.connection.query(Self.deleteIfNowhere, [user])
    }

    /// Whether an organization has any member.
    public func hasMembers(_ organization: UUID) async throws -> Bool {
        try await self.connection.query(Self.anyMember, [organization]).first?.decode(0) ?? false
    }
}
