/// The settings of an installation that every command beside its server needs.
package struct InstallationSettings: Sendable, Equatable {
    /// The PostgreSQL server of the control database.
    package var database: DatabaseSettings
    /// The folder of Mortise's own files.
    ///
    /// Defaults to `.mortise`.
    package var dataFolder: String
    /// The secrets file.
    ///
    /// `nil` means the file `secrets` in the data folder.
    package var secretsFile: String?
    /// The settings file that was read.
    ///
    /// `nil` if there is none.
    package var settingsFile: String?
    /// The faults in the settings that do not keep Mortise from running.
    package var warnings: [SettingWarning]

    /// Reads the settings.
    ///
    /// An absent setting has its default.
    ///
    /// - Parameters:
    ///   - reader: The sources of the settings.
    ///   - runsPrograms: True for a command that runs programs of PostgreSQL against any server, such as `pg_dump`.
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed.
    package init(_ reader: SettingReader, runsPrograms: Bool = false) throws(CommandFailure) {
        database = try DatabaseSettings(reader, runsPrograms: runsPrograms)
        dataFolder = try reader.value(Settings.data)
        secretsFile = try reader.value(Settings.pepperFile)
        settingsFile = reader.file?.path
        warnings = reader.warnings
    }

    /// The path of the secrets file.
    var secretsPath: String { secretsFile ?? "\(dataFolder)/secrets" }

    /// The folder of the PostgreSQL server that Mortise runs itself.
    var postgresFolder: String { "\(dataFolder)/postgres" }
}
