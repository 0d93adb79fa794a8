/// All settings of `mortise migrate`.
package struct MigrateSettings: Sendable, Equatable {
    /// The work of one run.
    package enum Action: Sendable, Equatable {
        /// Apply the migrations that are missing.
        case apply
        /// Show the migrations that are missing. Nothing changes.
        case dryRun
        /// Show the migrations that each database has and lacks. Nothing changes.
        case status
    }

    /// The database and the files of the installation.
    package var installation: InstallationSettings
    /// True if the workspaces' databases are migrated after the control database.
    package var includesWorkspaces: Bool
    /// The work of the run.
    package var action: Action
    /// The number of workspaces that are migrated at once, 1 to 64.
    ///
    /// Defaults to 4.
    package var concurrency: Int
    /// The workspace that is migrated first and alone.
    ///
    /// Its id, its slug, or `ORGANIZATION/SLUG`. `nil` means the oldest one that can be reached.
    package var canary: String?
    /// True if the text has a line for each database.
    ///
    /// Otherwise it has the numbers of databases, and those that are not up to date.
    package var showsAll: Bool
    /// True if the result is printed as JSON, one object and line for each database.
    package var printsJSON: Bool

    /// Combines the settings of the installation with the options of the command.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed.
    package init(
        _ reader: SettingReader,
        includesWorkspaces: Bool,
        action: Action,
        concurrency: Int,
        canary: String? = nil,
        showsAll: Bool = false,
        printsJSON: Bool
    ) throws(CommandFailure) {
        installation = try InstallationSettings(reader)
        self.includesWorkspaces = includesWorkspaces
        self.action = action
        self.concurrency = concurrency
        self.canary = canary
        self.showsAll = showsAll
        self.printsJSON = printsJSON
    }
}
