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

    private var role: String { PostgresConnection.quote(identifier: self.installation.runtimeRole) }

    /// Makes sure that there is a runtime role, without a password if it is new, and that the owner can do its work.
    ///
    /// - Throws: `incompatible` with what to change.
    func prepareRole() async throws {
        guard let row = try await self.connection.query(Self.capabilities).first else { return }
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
        if try await !self.connection.query(Self.roleExists, [self.installation.runtimeRole]).isEmpty { return }
        guard createsRoles else {
            throw TenancyError(
                .incompatible,
                "there is no role \(self.installation.runtimeRole), and the owner role may not create it (ALTER ROLE … CREATEROLE)"
            )
        }
        do throws(PostgresError) {
            try await self.connection.script(
                """
                CREATE ROLE \(self.role) LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
                """
            )
        } catch {
            // 42710 or 23505: another program made it in this moment.
            guard error.sqlState == .duplicateObject || error.sqlState == .uniqueViolation else { throw error }
        }
    }

    /// Sets the runtime role's password.
    ///
    /// The server gets a SCRAM verifier, so that neither its log nor its statistics show a password.
    func setPassword(_ password: String) async throws {
        let verifier = try self.connection.passwordVerifier(user: self.installation.runtimeRole, password: password)
        let literal = PostgresConnection.quote(literal: verifier)
        try await self.connection.script("ALTER ROLE \(self.role) PASSWORD \(literal)")
    }

    /// Makes a database one that only the owner can connect to.
    func close(database: String) async throws(PostgresError) {
        try await self.connection.script(
            "REVOKE ALL ON DATABASE \(PostgresConnection.quote(identifier: database)) FROM PUBLIC"
        )
    }

    /// Lets the runtime role connect to a database.
    func open(database: String) async throws(PostgresError) {
        try await self.connection.script(
            "GRANT CONNECT ON DATABASE \(PostgresConnection.quote(identifier: database)) TO \(self.role)"
        )
    }
}
