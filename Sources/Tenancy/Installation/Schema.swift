import Migrations
import SQLFiles

/// The lines of migrations, as this program carries them.
enum Schema {
    /// What every workspace has.
    static let workspace = line("workspace", SQLFiles.workspace)
    /// What the control database has besides.
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
    /// What migrates a workspace's database.
    func workspaceMigrator(version: String, options: MigratorOptions) throws(MigrationError) -> Migrator {
        Migrator(
            lines: [try Schema.workspace.get()],
            identifiers: ["runtime_role": runtimeRole],
            version: version,
            options: options
        )
    }

    /// What migrates the control database, which is the root tenant.
    func controlMigrator(version: String, options: MigratorOptions) throws(MigrationError) -> Migrator {
        Migrator(
            lines: [try Schema.workspace.get(), try Schema.control.get()],
            identifiers: ["runtime_role": runtimeRole],
            version: version,
            options: options
        )
    }
}
