import ArgumentParser

/// The flags of an installation that several commands have.
struct InstallationOptions: ParsableArguments {
    @Option(Settings.settingsFile)
    var settings: SettingFlag?

    @Option(Settings.databaseURL)
    var databaseURL: SettingFlag?

    @Option(Settings.data)
    var data: SettingFlag?

    @Option(Settings.postgresBin)
    var postgresBin: SettingFlag?

    @Option(Settings.pepperFile)
    var pepperFile: SettingFlag?

    /// The flags that the command line has.
    var given: [SettingFlag] { [settings, databaseURL, data, postgresBin, pepperFile].compactMap(\.self) }

    /// The flags as a line of a shell repeats them, with a leading blank.
    ///
    /// Empty without flags.
    var words: String { given.map { " \($0.words)" }.joined() }

    /// Reads the settings file and combines all sources of settings.
    ///
    /// - Parameter more: The flags of the command itself.
    /// - Returns: The reader of all sources.
    /// - Throws: `CommandFailure` of kind `usage` if the settings file is named or exists and cannot be read.
    func reader(_ more: [SettingFlag?] = []) throws(CommandFailure) -> SettingReader {
        try SettingReader.load(flags: given + more.compactMap(\.self), environment: Environment.all)
    }
}
