import Migrations
import Postgres
import SQLFiles

/// The migration files that this program contains.
enum Schema {
    /// The files of every workspace's database.
    static let workspace = line("workspace", SQLFiles.workspace)
    /// The files of every cluster's database.
    static let cluster = line("cluster", SQLFiles.cluster)
    /// The additional files of the control database.
    static let control = line("control", SQLFiles.control)

    private static func line(_ name: String, _ files: [SQLFile]) -> Result<MigrationLine, MigrationError> {
        Result { () throws(MigrationError) in
            var list: [MigrationFile] = []
            for file in files { list.append(try MigrationFile(name: file.name, bytes: file.bytes)) }
            return try MigrationLine(name, files: list)
        }
    }
}

extension Installation {
    /// Returns the SQL that grants the runtime role its privileges in a workspace's database, which can be older than the program.
    func workspacePrivileges(in database: PostgresConnection) async throws -> String {
        try await Schema.workspace.get()
            .privileges(identifiers: ["runtime_role": runtimeRole], appliedTo: database)
    }

    /// Returns the SQL that grants the runtime role its privileges in the control database.
    func controlPrivileges() throws(MigrationError) -> String {
        try Schema.workspace.get().privileges(identifiers: ["runtime_role": runtimeRole])
            + Schema.control.get().privileges(identifiers: ["runtime_role": runtimeRole])
    }

    /// Returns the SQL that grants the runtime role its privileges in a cluster's database.
    func clusterPrivileges() throws(MigrationError) -> String {
        try Schema.cluster.get().privileges(identifiers: ["runtime_role": runtimeRole])
    }

    /// Returns the migrator of a cluster's database.
    func clusterMigrator(version: String, options: MigratorOptions) throws(MigrationError) -> Migrator {
        Migrator(
            lines: [try Schema.cluster.get()],
            identifiers: ["runtime_role": runtimeRole],
            version: version,
            options: options
        )
    }

    /// Returns the migrator of a workspace's database.
    func workspaceMigrator(version: String, options: MigratorOptions) throws(MigrationError) -> Migrator {
        Migrator(
            lines: [try Schema.workspace.get()],
            identifiers: ["runtime_role": runtimeRole],
            version: version,
            options: options
        )
    }

    /// Returns the migrator of the control database, which is the root tenant.
    func controlMigrator(version: String, options: MigratorOptions) throws(MigrationError) -> Migrator {
        Migrator(
            lines: [try Schema.workspace.get(), try Schema.control.get()],
            identifiers: ["runtime_role": runtimeRole],
            version: version,
            options: options
        )
    }
}

extension Installation {
    /// Returns true if this program contains a migration file.
    public static func knows(migration: String, of line: String) -> Bool {
        [Schema.workspace, Schema.cluster, Schema.control]
            .contains { known in
                guard let known = try? known.get() else { return false }
                return known.name == line && known.files.contains { $0.name == migration }
            }
    }
}
