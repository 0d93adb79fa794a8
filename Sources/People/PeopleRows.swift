import FoundationEssentials
import KeyStore
import Postgres

extension User {
    /// The columns that `init(row:from:)` reads, in its order.
    static func columns(_ alias: String) -> String {
        "\(alias).id, \(alias).email, \(alias).name, \(alias).password_hash IS NOT NULL, \(alias).created_at, "
            + "\(alias).updated_at, \(alias).disabled_at, \(alias).identity_issuer, \(alias).identity_subject, "
            + "\(alias).identity_bound_at"
    }

    /// The number of columns.
    static let columnCount = 10

    init(row: Row, from first: Int = 0) throws(PostgresError) {
        self.init(
            id: try row.decode(first),
            email: try row.decode(first + 1),
            name: try row.decode(first + 2),
            hasPassword: try row.decode(first + 3),
            createdAt: try row.timestamp(first + 4),
            updatedAt: try row.timestamp(first + 5),
            disabledAt: try row.optionalTimestamp(first + 6),
            identity: try UserIdentity(row: row, from: first + 7)
        )
    }
}

extension UserIdentity {
    /// Reads the three columns, or returns `nil` if they are NULL.
    init?(row: Row, from first: Int) throws(PostgresError) {
        let (issuer, subject): (String?, String?) = (try row.decode(first), try row.decode(first + 1))
        guard let issuer, let subject, let boundAt = try row.optionalTimestamp(first + 2) else { return nil }
        self.init(issuer: issuer, subject: subject, boundAt: boundAt)
    }
}

extension Credentials {
    /// The beginning of a statement over the users `u` whose rows `init(row:)` reads.
    static let select = "SELECT \(User.columns("u")), u.password_hash FROM control.users u"

    /// Reads a user's columns and the hash after them.
    init(row: Row) throws(PostgresError) {
        user = try User(row: row)
        passwordHash = try row.decode(User.columnCount)
    }
}

extension Member {
    /// The columns that `init(row:from:)` reads, in its order: the membership's, then the user's.
    static func columns(_ alias: String, user: String) -> String {
        "\(alias).id, \(alias).organization_id, \(alias).workspace_id, \(alias).role, \(alias).created_at, "
            + "\(alias).updated_at, " + User.columns(user)
    }

    init(row: Row, from first: Int = 0) throws(PostgresError) {
        self.init(
            id: try row.decode(first),
            user: try User(row: row, from: first + 6),
            organizationID: try row.decode(first + 1),
            workspaceID: try row.decode(first + 2),
            role: try row.word(first + 3),
            createdAt: try row.timestamp(first + 4),
            updatedAt: try row.timestamp(first + 5)
        )
    }
}

extension SessionIssuer {
    /// The columns that `init(row:)` reads, in its order.
    static let columns = """
        id, issuer, organization_id, jwks_url, jwks_file, jwks, algorithms, authorized_parties, read_roles, manage_roles, created_at, \
        audiences
        """

    /// The number of these columns.
    static let columnCount = 12

    init(row: Row) throws(PostgresError) {
        let keys: KeySource
        if let url: String = try row.decode(3) {
            keys = .url(url)
        } else if let file: String = try row.decode(4) {
            keys = .file(file)
        } else {
            keys = .inline(try row.decode(5, as: PostgresJSON.self).text)
        }
        self.init(
            id: try row.decode(0),
            issuer: try row.decode(1),
            organizationID: try row.decode(2),
            keys: keys,
            algorithms: try row.decode(6),
            authorizedParties: try row.decode(7),
            audiences: try row.decode(11),
            readRoles: try row.decode(8),
            manageRoles: try row.decode(9),
            createdAt: try row.timestamp(10)
        )
    }
}
