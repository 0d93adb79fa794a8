import ArgumentParser

/// The settings of an installation that several commands need.
struct InstallationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file that holds the URL of a PostgreSQL server, password included. Environment: MORTISE_DATABASE_URL, the URL \
            itself. Without either, Mortise runs a PostgreSQL of its own.
            """,
            valueName: "path"
        )
    )
    var databaseURLFile: String?

    @Option(
        help: ArgumentHelp(
            "The folder of Mortise's own files. Environment: MORTISE_DATA. (default: \(ServeSettings.defaultDataFolder))",
            valueName: "folder"
        )
    )
    var data: String?

    @Option(
        help: ArgumentHelp(
            "The folder of initdb and postgres, for a PostgreSQL of its own. Environment: MORTISE_POSTGRES_BIN. (default: searched)",
            valueName: "folder"
        )
    )
    var postgresBin: String?

    @Option(
        help: ArgumentHelp(
            """
            The secrets file, the same for all nodes; `mortise secrets new` makes one. Environment: MORTISE_PEPPER_FILE. \
            (default: the one in the data folder, made at the first start)
            """,
            valueName: "path"
        )
    )
    var pepperFile: String?

    /// What was given.
    var flags: [Setting: String?] {
        [.databaseURL: databaseURLFile, .data: data, .postgresBin: postgresBin, .pepperFile: pepperFile]
    }

    /// A reader of these and further flags, and of the environment.
    func reader(_ more: [Setting: String?] = [:]) -> SettingReader {
        SettingReader(flags: flags.merging(more) { $1 }, environment: { Environment.value($0) })
    }
}
