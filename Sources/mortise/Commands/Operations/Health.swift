import ArgumentParser

/// The `mortise health` command.
struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the server of this machine if it is ready.",
        discussion: HelpText.discussion(
            """
            The command asks the listener that the settings name: operations_listen, else listen. So it suits the health check of
            a container, whatever the server's address is. `mortise doctor --ready` asks a server at any URL.
            """,
            needs: "a running server, and its settings",
            examples: ["health", "health --settings /etc/mortise/mortise.yaml"],
            exits: "0 ready, 1 not ready, 3 no Mortise answers, 64 usage or setting error"
        )
    )

    @Option(Settings.settingsFile)
    var settings: SettingFlag?

    @Option(Settings.listen)
    var listen: SettingFlag?

    @Option(Settings.operationsListen)
    var operationsListen: SettingFlag?

    @OptionGroup
    var time: TimeoutOptions

    func run() async throws {
        let flags = [settings, listen, operationsListen].compactMap(\.self)
        let reader = try SettingReader.load(flags: flags, environment: Environment.all)
        try await HealthCheck.run(HealthSettings(reader), within: time.limit)
        try Output.line("The server is ready.")
    }
}
