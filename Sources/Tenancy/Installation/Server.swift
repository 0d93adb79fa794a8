import FoundationEssentials
import Keys
import Logging
import Postgres

/// One PostgreSQL server, over a connection as its owner role: the setup that a server needs once, not each database.
struct Server: Sendable {
    let installation: Installation
    let connection: PostgresConnection

    private static let capabilities = Statement(
        """
        SELECT current_setting('server_version_num')::int, rolsuper OR rolcreatedb, rolsuper OR rolcreaterole
        FROM pg_roles WHERE rolname = current_user
        """,
        prepared: false
    )

    private static let roleExists = Statement("SELECT 1 FROM pg_roles WHERE rolname = $1", prepared: false)

    private static let isMember = Statement("SELECT pg_has_role($1::name, 'USAGE')", prepared: false)

    private static let roleComment = Statement(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1",
        prepared: false
    )

    private static let isRestoring = Statement(
        "SELECT 1 FROM pg_database WHERE datname = $1 AND shobj_description(oid, 'pg_database') LIKE 'mortise restore %'",
        prepared: false
    )

    private var role: String { PostgresConnection.quote(identifier: installation.runtimeRole) }

    /// Creates the runtime role if there is none, without a password, and checks that the owner has the rights that it
    /// needs.
    ///
    /// - Throws: `incompatible`, whose message says what to change.
    func prepareRole() async throws {
        guard let row = try await connection.query(Self.capabilities).first else { return }
        let (version, createsDatabases, createsRoles) = try row.decode((Int32, Bool, Bool).self)
        // 15: NULLS NOT DISTINCT, CREATE DATABASE … STRATEGY, no CREATE on schema public for everybody.
        guard version >= 150_000 else {
            throw TenancyError(.incompatible, "the server is PostgreSQL \(version / 10_000); 15 or later is needed")
        }
        guard createsDatabases else {
            throw TenancyError(
                .incompatible,
                "the owner role needs the right to create databases (ALTER ROLE … CREATEDB)"
            )
        }
        if try await connection.query(Self.roleExists, [installation.runtimeRole]).isEmpty {
            try await createRole(isPermitted: createsRoles)
        }
        try await join(version: version)
    }

    private func createRole(isPermitted: Bool) async throws {
        guard isPermitted else {
            throw TenancyError(
                .incompatible,
                "there is no role \(installation.runtimeRole), and the owner role may not create it (ALTER ROLE … CREATEROLE)"
            )
        }
        do throws(PostgresError) {
            try await connection.script(
                """
                CREATE ROLE \(role) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
                """
            )
        } catch {
            // 42710 or 23505: another program created it at the same moment.
            guard error.sqlState == .duplicateObject || error.sqlState == .uniqueViolation else { throw error }
        }
    }

    /// Makes the owner a member of the runtime role, unless it has the role's rights already, as a superuser does.
    ///
    /// Otherwise an owner that is no superuser could not end the service's sessions, and so could drop no database that
    /// has one: `DROP DATABASE … WITH (FORCE)` signals only backends of roles whose rights the current role has.
    private func join(version: Int32) async throws {
        let rows = try await connection.query(Self.isMember, [installation.runtimeRole])
        if try rows.first?.decode(0, as: Bool.self) == true { return }
        // From PostgreSQL 16 on, the creator of a role administers it but does not inherit its rights without this
        // option.
        let inherit = version >= 160_000 ? " WITH INHERIT TRUE" : ""
        try await connection.script("GRANT \(role) TO CURRENT_USER\(inherit)")
    }

    /// The settings of the role, for all databases (0) and for single ones.
    private static let roleSettings = Statement(
        """
        SELECT d.datname::text, s.setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
        LEFT JOIN pg_database d ON d.oid = s.setdatabase
        WHERE r.rolname = $1 ORDER BY d.datname NULLS FIRST
        """,
        prepared: false
    )

    /// Returns the settings of the runtime role (`ALTER ROLE … SET`), as `name=value`, with the database if they are for one only.
    func settingsOfRole() async throws -> [String] {
        try await connection.query(Self.roleSettings, [installation.runtimeRole])
            .flatMap { row in
                let (database, settings) = try row.decode((String?, [String]).self)
                return settings.map { setting in database.map { "\(setting) in \($0)" } ?? setting }
            }
    }

    /// Removes the settings of the runtime role.
    ///
    /// They survive restarts, and can keep the service from writing (`default_transaction_read_only`) or make it slow. The settings that
    /// the service needs come with each of its connections.
    ///
    /// - Returns: The settings that were removed.
    func resetRole() async throws -> [String] {
        let settings = try await settingsOfRole()
        if settings.isEmpty { return [] }
        for row in try await connection.query(Self.roleSettings, [installation.runtimeRole]) {
            let database = try row.decode(0, as: String?.self).map(PostgresConnection.quote(identifier:))
            let scope = database.map { " IN DATABASE \($0)" } ?? ""
            try await connection.script("ALTER ROLE \(role)\(scope) RESET ALL")
        }
        return settings
    }

    /// Throws if a restoration to this server was interrupted.
    ///
    /// Its mark on the runtime role looks like that of a foreign installation, whose removal would let a new one take the server.
    ///
    /// - Throws: `incompatible`, whose message says what to do.
    func requireNoRestoration() async throws {
        let database = installation.restoringDatabase
        guard try await !connection.query(Self.isRestoring, [database]).isEmpty else { return }
        throw TenancyError(
            .incompatible,
            """
            a restoration to this PostgreSQL server was interrupted; run `mortise restore` again with the same backup, or, to give the \
            restoration up, drop the database \(database)
            """
        )
    }

    // MARK: The role's installation

    /// True if the runtime role of this server has an installation's mark.
    func hasMark() async throws -> Bool { try await mark() != nil }

    private static let markPrefix = "mortise installation "

    /// Returns the installation in the runtime role's mark: the id of its primary cluster.
    private func mark() async throws -> String? {
        let text = try await connection.query(Self.roleComment, [installation.runtimeRole]).first?
            .decode(0, as: String?.self)
        guard let text, text.hasPrefix(Self.markPrefix) else { return nil }
        return String(text.dropFirst(Self.markPrefix.count))
    }

    /// Throws if the runtime role belongs to another installation.
    ///
    /// A role belongs to the server, not to a database: a second control database beside this one would set the
    /// password of the role that the first one's service connects as.
    ///
    /// - Parameter id: The installation's id; `nil` before its first start.
    /// - Throws: `incompatible`, whose message says what to do.
    func checkMark(_ id: UUID?) async throws {
        guard let mark = try await self.mark(), mark != id.map(UUIDv7.text(of:)) else { return }
        let role = installation.runtimeRole
        throw TenancyError(
            .incompatible,
            """
            the role \(role) of this PostgreSQL server belongs to another installation of Mortise (\(mark)), whose service \
            would be locked out; use another server, or, if that installation no longer exists, run COMMENT ON ROLE \(role) IS NULL
            """
        )
    }

    /// Marks the runtime role as an installation's, unless it is marked already.
    ///
    /// - Throws: The errors of ``checkMark(_:)``.
    func setMark(_ id: UUID) async throws {
        try await checkMark(id)
        guard try await mark() == nil else { return }
        let literal = PostgresConnection.quote(literal: Self.markPrefix + UUIDv7.text(of: id))
        try await connection.script("COMMENT ON ROLE \(role) IS \(literal)")
    }

    /// Removes an installation's mark from the runtime role.
    func removeMark(of id: UUID) async throws {
        guard try await mark() == UUIDv7.text(of: id) else { return }
        try await connection.script("COMMENT ON ROLE \(role) IS NULL")
    }

    /// Sets the runtime role's password.
    ///
    /// The server gets a SCRAM verifier, so neither its log nor its statistics show a password.
    func setPassword(_ password: String) async throws {
        let verifier = try connection.passwordVerifier(user: installation.runtimeRole, password: password)
        let literal = PostgresConnection.quote(literal: verifier)
        try await connection.script("ALTER ROLE \(role) PASSWORD \(literal)")
    }

    /// Databases without privileges of their own, as a restore without roles leaves them, and databases that the runtime role cannot use.
    private static let withoutPrivileges = Statement(
        """
        SELECT datname::text FROM pg_database
        WHERE datname = ANY ($1) AND (datacl IS NULL OR NOT has_database_privilege($2::name, oid, 'CONNECT')) ORDER BY 1
        """,
        prepared: false
    )

    /// Returns those of some databases whose privileges a restore has lost.
    ///
    /// A database of an installation always has privileges of its own, because everybody else is kept out.
    func databasesWithoutPrivileges(_ names: [String]) async throws -> [String] {
        try await connection.query(Self.withoutPrivileges, [names, installation.runtimeRole]).map { try $0.decode(0) }
    }

    /// Restricts a database to its owner.
    func close(database: String) async throws(PostgresError) {
        try await connection.script(
            "REVOKE ALL ON DATABASE \(PostgresConnection.quote(identifier: database)) FROM PUBLIC"
        )
    }

    /// Refuses the runtime role's connections to a database, which need not exist.
    func shut(database: String) async throws(PostgresError) {
        do throws(PostgresError) {
            try await connection.script(
                "REVOKE CONNECT ON DATABASE \(PostgresConnection.quote(identifier: database)) FROM \(role)"
            )
        } catch {
            guard error.sqlState == .undefinedDatabase else { throw error }
        }
    }

    /// Allows the runtime role to connect to a database.
    func open(database: String) async throws(PostgresError) {
        try await connection.script(
            "GRANT CONNECT ON DATABASE \(PostgresConnection.quote(identifier: database)) TO \(role)"
        )
    }
}
