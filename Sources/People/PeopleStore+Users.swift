public import FoundationEssentials
import Keys
import Postgres
import Tenancy

extension PeopleStore {
    private static let columns = User.columns("u")
    private static let credentials = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.email = $1"
    )
    private static let credentialsByID = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.id = $1"
    )
    /// What begins a session, changes a password, adds a role or takes the last one away waits here for each of the others, and then reads
    /// what they left: a comparison with a hash, and a look for further roles, are only true while nobody else decides.
    private static let lock = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.id = $1 FOR UPDATE"
    )
    private static let lockByEmail = Statement(
        "SELECT \(columns), u.password_hash FROM control.users u WHERE u.email = $1 FOR UPDATE"
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
    private static let rehashPassword = Statement("UPDATE control.users SET password_hash = $2 WHERE id = $1")
    private static let setName = Statement("UPDATE control.users SET name = $2, updated_at = now() WHERE id = $1")
    private static let deleteIfNowhere = Statement(
        "DELETE FROM control.users u WHERE id = $1 AND NOT EXISTS (SELECT FROM control.members WHERE user_id = u.id)"
    )
    private static let anyMember = Statement("SELECT EXISTS (SELECT FROM control.members WHERE organization_id = $1)")

    /// A user and the hash of their password, if they have one.
    public func credentials(of email: EmailAddress) async throws -> (user: User, passwordHash: String?)? {
        try await connection.query(Self.credentials, [email.text]).first
            .map { (try User(row: $0), try $0.decode(User.columnCount)) }
    }

    /// The same by id.
    public func credentials(of user: UUID) async throws -> (user: User, passwordHash: String?)? {
        try await connection.query(Self.credentialsByID, [user]).first
            .map { (try User(row: $0), try $0.decode(User.columnCount)) }
    }

    /// A user and the hash of their password as they are now, locked until the transaction ends; `nil` for who is gone.
    public func lockUser(_ user: UUID) async throws -> (user: User, passwordHash: String?)? {
        try await connection.query(Self.lock, [user]).first
            .map { (try User(row: $0), try $0.decode(User.columnCount)) }
    }

    /// The same by address.
    public func lockUser(_ email: EmailAddress) async throws -> User? {
        try await connection.query(Self.lockByEmail, [email.text]).first.map { try User(row: $0) }
    }

    /// Makes a user, or returns `nil` when the address is taken.
    public func insertUser(email: EmailAddress, name: String?, passwordHash: String?) async throws -> User? {
        try await connection.query(Self.insert, [identifiers.id(), email.text, name, passwordHash])
            .first.map { try User(row: $0) }
    }

    /// Gives a user another password.
    public func setPassword(_ hash: String, of user: UUID) async throws {
        try await connection.query(Self.setPassword, [user, hash])
    }

    /// Replaces a hash by another one of the same password, of a user who is locked.
    public func rehashPassword(_ hash: String, of user: UUID) async throws {
        try await connection.query(Self.rehashPassword, [user, hash])
    }

    /// Gives a user another name, or takes it away.
    public func setName(_ name: String?, of user: UUID) async throws {
        try await connection.query(Self.setName, [user, name])
    }

    /// Removes a user who is a member of nothing any more.
    ///
    /// Nobody could tell whose password it is that such a user would be added with again. The caller has locked the user before: a DELETE
    /// that waits for a role to be added does not look again whether there is one.
    public func deleteUserIfNowhere(_ user: UUID) async throws {
        try await connection.query(Self.deleteIfNowhere, [user])
    }

    /// Whether an organization has any member.
    public func hasMembers(_ organization: UUID) async throws -> Bool {
        try await connection.query(Self.anyMember, [organization]).first?.decode(0) ?? false
    }
}
