/// The PostgreSQL server of the control database.
package enum DatabaseSettings: Sendable, Equatable {
    /// A server that Mortise runs itself, with the programs of a folder. `nil` searches for the programs.
    case own(binaries: String?)
    /// A server that exists, as a libpq connection string. The string may hold a password.
    case server(SecretText)

    /// Reads the settings.
    ///
    /// - Parameters:
    ///   - reader: The sources of the settings.
    ///   - runsPrograms: True for a command that runs programs of PostgreSQL against any server, such as `pg_dump`.
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed, or if the flag of the programs has no effect.
    init(_ reader: SettingReader, runsPrograms: Bool) throws(CommandFailure) {
        guard let url = try reader.value(Settings.databaseURL) else {
            self = .own(binaries: try reader.value(Settings.postgresBin))
            return
        }
        if !runsPrograms, reader.hasFlag(Settings.postgresBin),
            let source = try reader.find(Settings.databaseURL)?.source
        {
            let flag = Settings.postgresBin.declaration.flag
            throw .usage(
                "\(flag) is for a PostgreSQL server that Mortise runs itself, but \(source) names another server.",
                details: ["Leave one of them out."]
            )
        }
        self = .server(url)
    }
}
