import Postgres

/// The ledger of a database: the table `mortise.migrations` with the files that were applied.
enum Ledger {
    /// The SQL that creates the ledger, which must exist before the first migration.
    ///
    /// The SQL runs under the advisory lock, because `IF NOT EXISTS` does not protect two sessions from each other.
    static let definition = """
        CREATE SCHEMA IF NOT EXISTS mortise;
        REVOKE ALL ON SCHEMA mortise FROM PUBLIC;
        CREATE TABLE IF NOT EXISTS mortise.migrations (
            line text NOT NULL,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            duration_ms bigint NOT NULL,
            version text NOT NULL,
            CONSTRAINT migrations_pkey PRIMARY KEY (line, name),
            CONSTRAINT migrations_checksum_form CHECK (checksum ~ '^[0-9a-f]{64}$')
        );
        """

    private static let existence = Statement("SELECT to_regclass('mortise.migrations') IS NOT NULL", prepared: false)

    private static let contents = Statement(
        """
        SELECT line, name, checksum, applied_at, duration_ms, version FROM mortise.migrations
        ORDER BY line, name COLLATE "C"
        """,
        prepared: false
    )

    private static let insertion = Statement(
        "INSERT INTO mortise.migrations (line, name, checksum, duration_ms, version) VALUES ($1, $2, $3, $4, $5)",
        prepared: false
    )

    /// Returns all rows of the ledger.
    ///
    /// A database without a ledger has none.
    static func read(_ connection: PostgresConnection) async throws(PostgresError) -> [AppliedMigration] {
        guard try await connection.query(existence).first?.decode(0, as: Bool.self) == true else { return [] }
        var rows: [AppliedMigration] = []
        for row in try await connection.query(contents) {
            rows.append(
                AppliedMigration(
                    line: try row.decode(0),
                    name: try row.decode(1),
                    checksum: try row.decode(2),
                    appliedAt: try row.decode(3),
                    durationMilliseconds: try row.decode(4),
                    version: try row.decode(5)
                )
            )
        }
        return rows
    }

    /// Adds a file that was applied.
    static func add(
        _ file: MigrationFile,
        line: String,
        duration: Duration,
        version: String,
        on connection: PostgresConnection
    ) async throws(PostgresError) {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        try await connection.query(insertion, [line, file.name, file.checksum, milliseconds, version])
    }
}
