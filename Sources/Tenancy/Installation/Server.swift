import FoundationEssentials
import Keys
import Logging
import Postgres

/// One PostgreSQL server as its owner role: what is done once for a server, not once for a database.
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

    private var role: String { PostgresConnection.quote(identifier: installation.runtimeRole) }

    /// Makes sure that there is a runtime role, without a password if it is new, and that the owner can do its work.
    ///
    /// - Throws: `incompatible` with what to change.
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
            // 42710 or 23505: another program made it in this moment.
            guard error.sqlState == .duplicateObject || error.sqlState == .uniqueViolation else { throw error }
        }
    }

    /// Makes the owner a member of the runtime role, if it has not the role's rights anyway, as a superuser has.
    ///
    /// Without it an owner that is no superuser cannot end the service's sessions, and so drop no database that has any: `DROP DATABASE …
    /// WITH (FORCE)` may signal only backends of roles whose rights the current one has.
    private func join(version: Int32) async throws {
        let rows = try await connection.query(Self.isMember, [installation.runtimeRole])
        if try rows.first?.decode(0, as: Bool.self) == true { return }
        // From 16 on whoever makes a role administers it and does not inherit its rights unless that is said.
        let inherit = version >= 160_000 ? " WITH INHERIT TRUE" : ""
        try await connection.script("GRANT \(role) TO CURRENT_USER\(inherit)")
    }

    // MARK: Whose the role is

    private static let markPrefix = "mortise installation "

    /// The installation that the runtime role is marked as belonging to: the id of its primary cluster.
    private func mark() async throws -> String? {
        let text = try await connection.query(Self.roleComment, [installation.runtimeRole]).first?
            .decode(0, as: String?.self)
        guard let text, text.hasPrefix(Self.markPrefix) else { return nil }
        return String(text.dropFirst(Self.markPrefix.count))
    }

    /// Refuses to go on if the runtime role is another installation's; `id` is this one's, `nil` before it has one.
    ///
    /// A role is the server's, not a database's: a second control database beside this one would set the password of the role that the
    /// first one's service connects as.
    ///
    /// - Throws: `incompatible` with what to do.
    func checkMark(_ id: UUID?) async throws {
        guard let mark = try await self.mark(), mark != id.map(UUIDv7.text(of:)) else { return }
        let role = installation.runtimeRole
        throw TenancyError(
            .incompatible,
            """
            the role \(role) of this PostgreSQL server belongs to another installation of Mortise (\(mark)), whose service would be \
            locked out; give this one a server of its own, or, if that one is gone for good, run COMMENT ON ROLE \(role) IS NULL
            """
        )
    }

    /// Marks the runtime role as an installation's, unless it is marked already.
    ///
    /// - Throws: what `checkMark` throws.
    func setMark(_ id: UUID) async throws {
        try await checkMark(id)
        guard try await mark() == nil else { return }
        let literal = PostgresConnection.quote(literal: Self.markPrefix + UUIDv7.text(of: id))
        try await connection.script("COMMENT ON ROLE \(role) IS \(literal)")
    }

    /// Sets the runtime role's password.
    ///
    /// The server gets a SCRAM verifier, so that neither its log nor its statistics show a password.
    func setPassword(_ password: String) async throws {
        let verifier = try connection.passwordVerifier(user: installation.runtimeRole, password: password)
        let literal = PostgresConnection.quote(literal: verifier)
        try await connection.script("ALTER ROLE \(role) PASSWORD \(literal)")
    }

    /// Makes a database one that only the owner can connect to.
    func close(database: String) async throws(PostgresError) {
        try await connection.script(
            "REVOKE ALL ON DATABASE \(PostgresConnection.quote(identifier: database)) FROM PUBLIC"
        )
    }

    /// Keeps the runtime role from connecting to a database, which need not exist.
    func shut(database: String) async throws(PostgresError) {
        do throws(PostgresError) {
            try await connection.script(
                "REVOKE CONNECT ON DATABASE \(PostgresConnection.quote(identifier: database)) FROM \(role)"
            )
        } catch {
            guard error.sqlState == .undefinedDatabase else { throw error }
        }
    }

    /// Lets the runtime role connect to a database.
    func open(database: String) async throws(PostgresError) {
        try await connection.script(
            "GRANT CONNECT ON DATABASE \(PostgresConnection.quote(identifier: database)) TO \(role)"
        )
    }
}
