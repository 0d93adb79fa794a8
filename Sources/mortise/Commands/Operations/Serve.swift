import ArgumentParser

/// The `mortise serve` command.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: HelpText.discussion(
            """
            Without a database URL, Mortise runs a PostgreSQL server of its own with the installed programs. Only a Unix socket
            reaches that server. The first start creates the organization "default" with its default workspace, and prints an
            operator key and an admin key once, unless they are preset. SIGTERM and Ctrl-C drain the server: accepted requests
            finish, and usage counts are written.

            Each setting is a flag, an environment variable and a member of the settings file. A flag wins over a variable, and
            a variable over the file. A member is the variable in lower case without MORTISE_: listen for MORTISE_LISTEN. A
            secret is never a flag, because ps shows flags. Its flag names a file, and so does a variable or a member with
            _FILE or _file at the end. The settings file is YAML, one member and its value on each line.
            """,
            needs: "PostgreSQL 15 or later, as installed programs or as a server",
            examples: [
                "serve",
                "serve --settings /etc/mortise/mortise.yaml",
                "serve --listen 0.0.0.0:8080 --database-url-file /run/secrets/database-url --pepper-file /run/secrets/peppers",
                "serve --operator-key-file operator.key --log-format json --access-log all",
            ],
            exits: "0 stopped by a signal, 1 could not start or had to stop, 64 usage or setting error"
        )
    )

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    @Option(Settings.listen)
    var listen: SettingFlag?

    @Option(Settings.tlsCertificate)
    var tlsCertificate: SettingFlag?

    @Option(Settings.tlsKey)
    var tlsKey: SettingFlag?

    @Option(Settings.gatewayListen)
    var gatewayListen: SettingFlag?

    @Option(Settings.grpcListen)
    var grpcListen: SettingFlag?

    @Option(Settings.gatewayOpen)
    var gatewayOpen: SettingFlag?

    @Option(Settings.operationsListen)
    var operationsListen: SettingFlag?

    @Option(Settings.trustedProxies)
    var trustedProxies: SettingFlag?

    @Option(Settings.publicURL)
    var publicURL: SettingFlag?

    @Option(Settings.webhookAllow)
    var webhookAllow: SettingFlag?

    @Option(Settings.gitHubKeysURL)
    var leaksGitHubKeysURL: SettingFlag?

    @Option(Settings.gitHubKeysFile)
    var leaksGitHubKeysFile: SettingFlag?

    @Option(Settings.publicOperations)
    var publicOperations: SettingFlag?

    @Option(Settings.maximumConnections)
    var maximumConnections: SettingFlag?

    @Option(Settings.headTimeout)
    var headTimeout: SettingFlag?

    @Option(Settings.bodyTimeout)
    var bodyTimeout: SettingFlag?

    @Option(Settings.idleTimeout)
    var idleTimeout: SettingFlag?

    @Option(Settings.answerTimeout)
    var answerTimeout: SettingFlag?

    @Option(Settings.keysOut)
    var keysOut: SettingFlag?

    @Option(Settings.operatorKey)
    var operatorKey: SettingFlag?

    @Option(Settings.adminKey)
    var adminKey: SettingFlag?

    @Option(Settings.adminEmail)
    var adminEmail: SettingFlag?

    @Option(Settings.adminPassword)
    var adminPassword: SettingFlag?

    @Option(Settings.oidcIssuer)
    var oidcIssuer: SettingFlag?

    @Option(Settings.oidcClientID)
    var oidcClientID: SettingFlag?

    @Option(Settings.oidcClientSecret)
    var oidcClientSecret: SettingFlag?

    @Option(Settings.oidcName)
    var oidcName: SettingFlag?

    @Option(Settings.passwords)
    var passwords: SettingFlag?

    @Option(Settings.logLevel)
    var logLevel: SettingFlag?

    @Option(Settings.logFormat)
    var logFormat: SettingFlag?

    @Option(Settings.accessLog)
    var accessLog: SettingFlag?

    @Option(Settings.spanLog)
    var spanLog: SettingFlag?

    @Option(Settings.threads)
    var threads: SettingFlag?

    @Option(Settings.lookupWorkspaces)
    var lookupWorkspaces: SettingFlag?

    @Option(Settings.managedWorkspaces)
    var managedWorkspaces: SettingFlag?

    @Option(Settings.keysPerWorkspace)
    var keysPerWorkspace: SettingFlag?

    @Option(Settings.keysPerSubject)
    var keysPerSubject: SettingFlag?

    @Option(Settings.adminKeysPerOrganization)
    var adminKeysPerOrganization: SettingFlag?

    @Option(Settings.workspacesPerOrganization)
    var workspacesPerOrganization: SettingFlag?

    @Option(Settings.webhooksPerOrganization)
    var webhooksPerOrganization: SettingFlag?

    @Option(Settings.waitingDeliveriesPerOrganization)
    var waitingDeliveriesPerOrganization: SettingFlag?

    @Option(Settings.listBytes)
    var listBytes: SettingFlag?

    @Option(Settings.cacheBytes)
    var cacheBytes: SettingFlag?

    @Option(Settings.eventDays)
    var eventDays: SettingFlag?

    @Option(Settings.drainDelay)
    var drainDelay: SettingFlag?

    @Option(Settings.shutdownGrace)
    var shutdownGrace: SettingFlag?

    func run() async throws {
        let reader = try installation.reader([
            listen, tlsCertificate, tlsKey, gatewayListen, grpcListen, gatewayOpen, operationsListen, trustedProxies,
            publicURL, webhookAllow, leaksGitHubKeysURL, leaksGitHubKeysFile, publicOperations,
            maximumConnections, headTimeout, bodyTimeout, idleTimeout, answerTimeout, keysOut, operatorKey, adminKey,
            adminEmail, adminPassword, oidcIssuer, oidcClientID, oidcClientSecret, oidcName, passwords,
            logLevel, logFormat, accessLog,
            spanLog, threads, lookupWorkspaces, managedWorkspaces, keysPerWorkspace, keysPerSubject,
            adminKeysPerOrganization, workspacesPerOrganization, webhooksPerOrganization,
            waitingDeliveriesPerOrganization, listBytes, cacheBytes, eventDays, drainDelay, shutdownGrace,
        ])
        try await runServer(ServeSettings(reader, isTerminal: Terminal.isError))
    }
}
