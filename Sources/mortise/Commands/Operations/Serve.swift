import ArgumentParser

/// `mortise serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: HelpText.discussion(
            """
            Without a database URL it starts a PostgreSQL of its own from the installed binaries, reachable by a Unix socket only,
            and says so. The first start makes the organization "default" with its default workspace, and prints the operator key
            and the admin key once, unless they are preset. SIGTERM and Ctrl-C drain: accepted requests are finished, counters
            are written out.

            Every setting is a flag and a variable; the flag wins. What is secret is never a flag itself, since ps shows flags:
            there is a flag that names a file.
            """,
            needs: "PostgreSQL 15 or later, as installed binaries or as a server",
            examples: [
                "serve",
                "serve --listen 0.0.0.0:8080 --database-url-file /run/secrets/database-url --pepper-file /run/secrets/peppers",
                "serve --operator-key-file operator.key --log-format json --access-log all",
            ],
            exits: "0 stopped as asked, 1 it could not start or go on, 64 wrong usage"
        )
    )

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    @Option(
        help: ArgumentHelp(
            "Where to listen; put 0.0.0.0 for all interfaces. Environment: MORTISE_LISTEN. (default: 127.0.0.1:8080)",
            valueName: "host:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            """
            Addresses and ranges of the proxies in front of this server, with commas between them, whose X-Forwarded-For is \
            believed: keys may be bound to clients' addresses, and events record them. Environment: MORTISE_TRUSTED_PROXIES. \
            (default: none, the client is whoever connects)
            """,
            valueName: "list"
        )
    )
    var trustedProxies: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the operator key to begin with. Environment: MORTISE_OPERATOR_KEY, the key itself. Seeded once: \
            revoked, it stays revoked. (default: made, and printed once)
            """,
            valueName: "path"
        )
    )
    var operatorKeyFile: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the default organization's admin key to begin with. Environment: MORTISE_ADMIN_KEY, the key \
            itself. (default: made, and printed once)
            """,
            valueName: "path"
        )
    )
    var adminKeyFile: String?

    @Option(
        help: ArgumentHelp(
            """
            The address of the first member, an owner of the default organization. Environment: MORTISE_ADMIN_EMAIL. Made once, with \
            the password of the next setting. (default: nobody)
            """,
            valueName: "address"
        )
    )
    var adminEmail: String?

    @Option(
        help: ArgumentHelp(
            """
            A file that holds the first member's password, 12 to 256 characters. Environment: MORTISE_ADMIN_PASSWORD, the password \
            itself.
            """,
            valueName: "path"
        )
    )
    var adminPasswordFile: String?

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical. Environment: MORTISE_LOG_LEVEL. (default: info)",
            valueName: "level"
        )
    )
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "json or text. Environment: MORTISE_LOG_FORMAT. (default: text on a terminal, else json)",
            valueName: "format"
        )
    )
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            """
            Which requests are logged: management (all but verifications), all, or off. Environment: MORTISE_ACCESS_LOG. \
            (default: management)
            """,
            valueName: "which"
        )
    )
    var accessLog: String?

    @Option(
        help: ArgumentHelp(
            """
            Threads that run requests, 1 to 64; each has a look-up connection of its own to every workspace in use. Environment: \
            MORTISE_THREADS. (default: half the processors, up to 4)
            """,
            valueName: "count"
        )
    )
    var threads: String?

    @Option(
        help: ArgumentHelp(
            """
            Workspaces that keys are looked up in at once, on each PostgreSQL server, 1 to 1000; with more in use, connections \
            are closed and opened again. Environment: MORTISE_LOOKUP_WORKSPACES. (default: 32)
            """,
            valueName: "count"
        )
    )
    var lookupWorkspaces: String?

    @Option(
        help: ArgumentHelp(
            """
            Workspaces whose keys are managed at once, on each PostgreSQL server, 1 to 1000; further ones wait. Environment: \
            MORTISE_MANAGED_WORKSPACES. (default: 8)
            """,
            valueName: "count"
        )
    )
    var managedWorkspaces: String?

    @Option(
        help: ArgumentHelp(
            """
            How long /readyz says no after SIGTERM before the server stops accepting, so that a load balancer can notice, 0 to \
            3600. Environment: MORTISE_DRAIN_DELAY. (default: 0)
            """,
            valueName: "seconds"
        )
    )
    var drainDelay: String?

    @Option(
        help: ArgumentHelp(
            "How long accepted requests may go on after SIGTERM, 0 to 3600. Environment: MORTISE_SHUTDOWN_GRACE. (default: 30)",
            valueName: "seconds"
        )
    )
    var shutdownGrace: String?

    func run() async throws {
        let reader = installation.reader([
            .listen: listen, .trustedProxies: trustedProxies, .operatorKey: operatorKeyFile, .adminKey: adminKeyFile,
            .adminEmail: adminEmail, .adminPassword: adminPasswordFile,
            .logLevel: logLevel,
            .logFormat: logFormat, .accessLog: accessLog, .threads: threads,
            .lookupWorkspaces: lookupWorkspaces, .managedWorkspaces: managedWorkspaces, .drainDelay: drainDelay,
            .shutdownGrace: shutdownGrace,
        ])
        try await runServer(ServeSettings(reader, isTerminal: Terminal.isError))
    }
}
