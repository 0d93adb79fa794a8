import Postgres

extension PostgresConnection {
    /// Drops a database with its sessions, if it exists.
    ///
    /// `WITH (FORCE)` is refused to a role that is no superuser while a worker of autovacuum is in the database, because the role may not
    /// end that session. Without it, PostgreSQL ends the workers itself, and waits up to 5 seconds for other sessions
    /// (`CountOtherDBBackends` in PostgreSQL's `procarray.c`).
    ///
    /// - Parameters:
    ///   - name: The name, not quoted.
    ///   - deadline: The maximum time of each attempt.
    /// - Throws: `PostgresError`.
    func drop(database name: String, deadline: Duration) async throws(PostgresError) {
        let statement = "DROP DATABASE IF EXISTS \(Self.quote(identifier: name))"
        do {
            try await script("\(statement) WITH (FORCE)", deadline: deadline)
        } catch {
            guard error.sqlState == .insufficientPrivilege else { throw error }
            try await script(statement, deadline: deadline)
        }
    }
}
