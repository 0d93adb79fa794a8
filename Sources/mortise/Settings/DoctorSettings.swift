/// What `mortise doctor` examines on this machine: an installation, by the settings of `mortise serve`.
package struct DoctorSettings: Sendable, Equatable {
    /// Which PostgreSQL is used.
    package var database: DatabaseSettings
    /// The folder of what Mortise keeps itself.
    ///
    /// Defaults to `.mortise`.
    package var dataFolder: String
    /// The secrets file; `nil` is the one in the data folder.
    package var secretsFile: String?
    /// How many connections a server has that is started with the same settings.
    package var connections: ConnectionSettings
    /// How long the whole examination may take.
    ///
    /// Defaults to 30 s.
    package var timeout: Duration

    /// Reads the settings; what is absent has its default.
    package init(_ reader: SettingReader, timeout: Duration) throws(CommandFailure) {
        database = try DatabaseSettings(reader)
        dataFolder = try reader.find(.data)?.text ?? ServeSettings.defaultDataFolder
        secretsFile = try reader.find(.pepperFile)?.text
        connections = try ConnectionSettings(reader)
        self.timeout = timeout
    }
}
