/// Which installation a command is about that works beside its server.
package struct InstallationSettings: Sendable, Equatable {
    /// Which PostgreSQL is used.
    package var database: DatabaseSettings
    /// The folder of what Mortise keeps itself.
    ///
    /// Defaults to `.mortise`.
    package var dataFolder: String
    /// The secrets file; `nil` is the one in the data folder.
    package var secretsFile: String?

    /// Reads the settings; what is absent has its default.
    package init(_ reader: SettingReader) throws(CommandFailure) {
        database = try DatabaseSettings(reader)
        dataFolder = try reader.find(.data)?.text ?? ServeSettings.defaultDataFolder
        secretsFile = try reader.find(.pepperFile)?.text
    }
}
