package import FoundationEssentials

/// Everything that `mortise migrate` is told.
package struct MigrateSettings: Sendable, Equatable {
    /// What is done.
    package enum Action: Sendable, Equatable {
        /// The files that are missing are applied.
        case apply
        /// What would be applied is shown; nothing changes.
        case dryRun
        /// Where each database stands is shown; nothing changes.
        case status
    }

    /// Which PostgreSQL is used.
    package var database: DatabaseSettings
    /// The folder of what Mortise keeps itself.
    ///
    /// Defaults to `.mortise`.
    package var dataFolder: String
    /// The secrets file; `nil` is the one in the data folder.
    package var secretsFile: String?
    /// Whether the workspaces' databases are migrated too, after the control database.
    package var includesWorkspaces: Bool
    /// What is done.
    package var action: Action
    /// How many workspaces are migrated at once, 1 to 64.
    ///
    /// Defaults to 4.
    package var concurrency: Int
    /// The workspace that is migrated first and alone; `nil` is the oldest that can be reached.
    package var canary: UUID?
    /// Whether the result is printed as JSON, one object a database and line.
    package var printsJSON: Bool

    /// Reads the settings; what is absent has its default.
    package init(
        _ reader: SettingReader,
        includesWorkspaces: Bool,
        action: Action,
        concurrency: Int,
        canary: UUID? = nil,
        printsJSON: Bool
    ) throws(CommandFailure) {
        database = try DatabaseSettings(reader)
        dataFolder = try reader.find(.data)?.text ?? ServeSettings.defaultDataFolder
        secretsFile = try reader.find(.pepperFile)?.text
        self.includesWorkspaces = includesWorkspaces
        self.action = action
        self.concurrency = concurrency
        self.canary = canary
        self.printsJSON = printsJSON
    }
}
