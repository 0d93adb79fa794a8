/// All settings of `mortise doctor` for the installation on this machine.
package struct DoctorSettings: Sendable, Equatable {
    /// The database and the files of the installation.
    package var installation: InstallationSettings
    /// The number of connections that a server with the same settings opens.
    package var connections: ConnectionSettings
    /// The ways in which members sign in.
    package var signIn: SignInSettings
    /// The maximum duration of the examination.
    ///
    /// Defaults to 30 s.
    package var timeout: Duration
    /// True for a finding for each workspace, false for one for each kind of fault.
    package var showsAll: Bool

    /// Reads the settings.
    ///
    /// An absent setting has its default.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed.
    package init(_ reader: SettingReader, timeout: Duration, showsAll: Bool = false) throws(CommandFailure) {
        installation = try InstallationSettings(reader)
        connections = try ConnectionSettings(reader)
        signIn = try SignInSettings(reader)
        self.timeout = timeout
        self.showsAll = showsAll
    }
}
