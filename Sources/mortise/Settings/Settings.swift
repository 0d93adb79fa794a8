package import Connections
package import GatewayAPI
package import Keys
package import Logging
import Server
package import Surfaces

/// All settings of a Mortise server and of the commands that work beside it.
package enum Settings {
    // MARK: Installation

    /// The settings file itself: a flag and a variable, not a member of a settings file.
    package static let settingsFile = Setting(
        "settings",
        .file,
        default: nil,
        written: "\(SettingsFile.standardPath), if it exists",
        placeholder: "file",
        help: "Read settings from this file."
    )

    /// The PostgreSQL server of the control database, as a libpq connection string.
    package static let databaseURL = Setting(
        "database_url",
        .connectionString,
        default: nil,
        written: "Mortise runs a PostgreSQL server of its own",
        placeholder: "file",
        isSecret: true,
        help: "Use this PostgreSQL server. The role in the URL owns the databases."
    )

    /// The folder of Mortise's own files.
    package static let data = Setting(
        "data",
        .folder,
        default: ".mortise",
        placeholder: "folder",
        help: "Keep Mortise's own files in this folder: its own PostgreSQL server and the secrets file."
    )

    /// The programs of PostgreSQL that Mortise runs itself.
    package static let postgresBin = Setting(
        "postgres_bin",
        .folder,
        default: nil,
        written: "PATH and the usual folders are searched",
        placeholder: "folder",
        help: """
            Run the PostgreSQL programs of this folder: initdb, pg_ctl and postgres, and for backups pg_dump and pg_restore.
            """
    )

    /// The secrets file of the installation.
    package static let pepperFile = Setting(
        "pepper_file",
        .file,
        default: nil,
        written: "the file secrets in the data folder, created at the first start",
        placeholder: "file",
        help:
            "Read the installation's secrets from this file. All nodes need the same file; `mortise secrets new` creates one."
    )

    // MARK: HTTP

    /// The address of the server.
    package static let listen = Setting(
        "listen",
        .place,
        default: ListenerPlace.tcp(host: "127.0.0.1", port: 8080),
        placeholder: "address",
        help: """
            Listen on this address, HOST:PORT or unix:PATH. 0.0.0.0 means all IPv4 interfaces, [::] all interfaces, port 0 \
            a free port.
            """
    )

    /// The certificate of the listener.
    package static let tlsCertificate = Setting(
        "tls_certificate",
        .file,
        default: nil,
        written: "none, the listener speaks plain HTTP",
        placeholder: "file",
        help: """
            Speak HTTPS on the listener, HTTP/2 and HTTP/1.1, with the certificates of this PEM file. SIGHUP reads it again.
            """
    )

    /// The private key of the listener's certificate.
    package static let tlsKey = Setting(
        "tls_key",
        .file,
        default: nil,
        written: "none",
        placeholder: "file",
        help: "Use the private key of this PEM file for the certificate. Only its owner and group may read it."
    )

    /// The addresses that gateways connect to.
    package static let gatewayListen = Setting(
        "gateway_listen",
        .gatewayAddresses,
        default: [],
        written: "none",
        placeholder: "list",
        help: """
            Answer gateways on these addresses without a credential: HOST:PORT or unix:PATH, several with commas between \
            them, each with ;proxy behind it for the PROXY protocol. Whoever can connect may ask about keys.
            """
    )

    /// The addresses that Envoy connects to with gRPC.
    package static let grpcListen = Setting(
        "grpc_listen",
        .gatewayAddresses,
        default: [],
        written: "none",
        placeholder: "list",
        help: """
            Answer the checks of Envoy over gRPC on these addresses without a credential. The list has the form of \
            gateway_listen, and addresses of its own.
            """
    )

    /// The address for operators and their tools.
    package static let operationsListen = Setting(
        "operations_listen",
        .place,
        default: nil,
        written: "none",
        placeholder: "address",
        help: """
            Answer /healthz, /readyz and /metrics on this address, HOST:PORT or unix:PATH, without a credential. The main listener \
            then has no /metrics.
            """
    )

    /// The permission to listen for gateways where other machines can connect.
    package static let gatewayOpen = Setting(
        "gateway_open",
        .choice(),
        default: ServeSettings.GatewayOpen.false,
        placeholder: "switch",
        help: """
            Allow addresses for gateways that are neither loopback addresses nor sockets: true or false. Only gateways \
            must reach their network.
            """
    )

    /// The proxies whose `X-Forwarded-For` the server trusts.
    package static let trustedProxies = Setting(
        "trusted_proxies",
        .addresses,
        default: ClientAddresses(),
        written: "none, the client is the peer of the connection",
        placeholder: "list",
        help: """
            Trust X-Forwarded-For from the proxies at these addresses. Keys can be bound to client addresses, and events \
            record them.
            """
    )

    /// The URL by which browsers reach the server.
    package static let publicURL = Setting(
        "public_url",
        .webURL,
        default: nil,
        written: "http:// or https:// and the Host of requests to a loopback address",
        placeholder: "url",
        help: """
            Name the URL by which browsers reach the server. The console behind a proxy accepts forms only from pages of \
            this address.
            """
    )

    /// The addresses that webhooks can be sent to although they are not globally reachable.
    package static let webhookAllow = Setting(
        "webhook_allow",
        .ranges,
        default: [AddressRange](),
        written: "none",
        placeholder: "list",
        help: """
            Send webhooks also to these addresses. Without it, addresses that are not globally reachable are refused, \
            because tenants choose the URLs.
            """
    )

    /// The URL of the keys that sign GitHub's reports of leaked tokens.
    package static let gitHubKeysURL = Setting(
        "leaks_github_keys_url",
        .documentURL,
        default: nil,
        written: "none, reports of GitHub are refused",
        placeholder: "url",
        help: """
            Accept GitHub's reports of leaked tokens, signed by the keys at this URL. docs/operations.md has GitHub's own URL.
            """
    )

    /// The file with the keys that sign GitHub's reports of leaked tokens.
    package static let gitHubKeysFile = Setting(
        "leaks_github_keys_file",
        .file,
        default: nil,
        written: "none",
        placeholder: "file",
        help: """
            Accept GitHub's reports of leaked tokens, signed by the keys in this file. It has the form of GitHub's \
            list, and wins over the URL.
            """
    )

    /// The documents for operators and programmers on the listener.
    package static let publicOperations = Setting(
        "public_operations",
        .choice(),
        default: ServeSettings.PublicOperations.on,
        placeholder: "switch",
        help: """
            Answer /metrics and /openapi.json on the listener: on or off. They need no credential, so turn them off where \
            strangers reach the listener.
            """
    )

    // MARK: Limits of clients

    /// The maximum number of open connections.
    package static let maximumConnections = Setting(
        "maximum_connections",
        .integer(16...1_000_000),
        default: nil,
        written: "4096, or less if the system allows few open files",
        placeholder: "count",
        help: """
            Keep at most this many connections of clients open, 16 to 1000000. A further one takes the place of the one \
            that has been idle longest.
            """
    )

    /// The time for the head of a connection's first request.
    package static let headTimeout = Setting(
        "head_timeout",
        .seconds(1...3600),
        default: ConnectionLimits().head,
        written: "10",
        placeholder: "seconds",
        help: "Close a connection without a complete first request line and header after this time, 1 to 3600 seconds."
    )

    /// The time for a body.
    package static let bodyTimeout = Setting(
        "body_timeout",
        .seconds(1...3600),
        default: ConnectionLimits().body,
        written: "10",
        placeholder: "seconds",
        help:
            "Refuse a request whose body is not complete after this time, 1 to 3600 seconds, and close its connection."
    )

    /// The time between two requests.
    package static let idleTimeout = Setting(
        "idle_timeout",
        .seconds(1...3600),
        default: ConnectionLimits().idle,
        written: "60",
        placeholder: "seconds",
        help: "Close a connection without a request after this time, 1 to 3600 seconds."
    )

    /// The time in which a client takes nothing of its answer.
    package static let answerTimeout = Setting(
        "answer_timeout",
        .seconds(1...3600),
        default: ConnectionLimits().answer,
        written: "20",
        placeholder: "seconds",
        help: "Close a connection whose client takes nothing of its answer for this time, 1 to 3600 seconds."
    )

    // MARK: First start

    /// The file that the first keys are written to.
    package static let keysOut = Setting(
        "keys_out",
        .file,
        default: nil,
        written: "standard output",
        placeholder: "file",
        help: """
            Write the tokens of the first start to this new file, which only its owner can read, and not to standard \
            output, which may be kept as a log.
            """
    )

    /// The operator key of a new installation.
    package static let operatorKey = Setting(
        "operator_key",
        .token(.operator),
        default: nil,
        written: "created and printed once",
        placeholder: "file",
        isSecret: true,
        help: "Create the first operator key with this token. A revoked one stays revoked."
    )

    /// The admin key of a new installation.
    package static let adminKey = Setting(
        "admin_key",
        .token(.admin),
        default: nil,
        written: "created and printed once",
        placeholder: "file",
        isSecret: true,
        help: "Create the first admin key of the organization \"default\" with this token. A revoked one stays revoked."
    )

    /// The e-mail address of the first member.
    package static let adminEmail = Setting(
        "admin_email",
        .text("an e-mail address"),
        default: nil,
        written: "no member is created",
        placeholder: "address",
        help: """
            Create the first member, an owner of the organization "default", with this e-mail address. The member is \
            created once and needs a password, unless members sign in with an OpenID provider.
            """
    )

    /// The password of the first member.
    package static let adminPassword = Setting(
        "admin_password",
        .secret("a password of 12 to 256 characters"),
        default: nil,
        written: "none",
        placeholder: "file",
        isSecret: true,
        help: "Create the first member with this password of 12 to 256 characters."
    )

    // MARK: Sign-in of members

    /// The OpenID provider that members can sign in with.
    package static let oidcIssuer = Setting(
        "oidc_issuer",
        .issuer,
        default: nil,
        written: "none, members sign in with passwords",
        placeholder: "url",
        help: """
            Let members sign in to the console with this OpenID provider. Register /console/oidc/callback below the public URL there.
            """
    )

    /// The id under which the provider knows this installation.
    package static let oidcClientID = Setting(
        "oidc_client_id",
        .text("a client id"),
        default: nil,
        written: "none",
        placeholder: "id",
        help: "Name the client id that the OpenID provider gave to this installation."
    )

    /// The secret by which the provider authenticates this installation.
    package static let oidcClientSecret = Setting(
        "oidc_client_secret",
        .secret("a client secret"),
        default: nil,
        written: "none",
        placeholder: "file",
        isSecret: true,
        help: "Authenticate this installation at the OpenID provider with this client secret."
    )

    /// The name of the provider on the button of the sign-in page.
    package static let oidcName = Setting(
        "oidc_name",
        .shortText,
        default: nil,
        written: "the host of the issuer",
        placeholder: "name",
        help: "Name the OpenID provider on the button \"Sign in with ...\", 1 to 60 characters."
    )

    /// The use of passwords.
    package static let passwords = Setting(
        "passwords",
        .choice(),
        default: ServeSettings.Passwords.on,
        placeholder: "switch",
        help: """
            Let members sign in with passwords: on or off. With off, they sign in only with the OpenID provider, on all surfaces.
            """
    )

    // MARK: Log

    /// The lowest level that is logged.
    package static let logLevel = Setting(
        "log_level",
        .choice(),
        default: Logger.Level.info,
        placeholder: "level",
        help: "Log this level and above: trace, debug, info, notice, warning, error or critical."
    )

    /// The form of a log line.
    package static let logFormat = Setting(
        "log_format",
        .choice(),
        default: LogSettings.Format?.none,
        written: "text on a terminal, else json",
        placeholder: "format",
        help: "Write log lines as json or as text."
    )

    /// The requests that the access log has.
    package static let accessLog = Setting(
        "access_log",
        .choice(),
        default: LogSettings.Access.management,
        placeholder: "requests",
        help: "Log these requests: management (all except verifications), all, or off."
    )

    /// The spans that the log has.
    package static let spanLog = Setting(
        "span_log",
        .choice(),
        default: LogSettings.Spans.off,
        placeholder: "spans",
        help: "Log a line for each span of a sampled trace: sampled or off."
    )

    // MARK: Connections and threads

    /// The threads that run requests.
    package static let threads = Setting(
        "threads",
        .integer(1...64),
        default: ServingThreads.defaultCount,
        written: "half of the processors, up to 4",
        placeholder: "count",
        help:
            "Run requests on this many threads, 1 to 64. Each has its own look-up connection to the control database."
    )

    /// The workspaces with look-up connections.
    package static let lookupWorkspaces = Setting<Int?>(
        "lookup_workspaces",
        .integer(1...1000),
        default: nil,
        written: "a third of max_connections, at most 1000",
        placeholder: "count",
        help: """
            Keep look-up connections to this many workspaces of each PostgreSQL server, one to each, 1 to 1000. With more \
            workspaces in use, the connection that is idle longest is closed for the one that is needed.
            """
    )

    /// The workspaces with connections for changes.
    package static let managedWorkspaces = Setting(
        "managed_workspaces",
        .integer(1...1000),
        default: 8,
        placeholder: "count",
        help: """
            Change keys in this many workspaces of each PostgreSQL server at once, 1 to 1000, and at most three quarters of them for one \
            organization. Further requests wait.
            """
    )

    // MARK: Shutdown

    /// The time between SIGTERM and the end of accepting connections.
    package static let drainDelay = Setting(
        "drain_delay",
        .seconds(0...3600),
        default: .zero,
        written: "0",
        placeholder: "seconds",
        help: """
            Accept connections for this long after SIGTERM while /readyz answers no, 0 to 3600 seconds, so that a load \
            balancer notices.
            """
    )

    /// The time that accepted requests have after the drain delay.
    package static let shutdownGrace = Setting(
        "shutdown_grace",
        .seconds(0...3600),
        default: .seconds(30),
        written: "30",
        placeholder: "seconds",
        help: "Let accepted requests run for this long after the drain delay, 0 to 3600 seconds."
    )

    // MARK: Lists

    /// The settings that can be members of a settings file, in the order of the documentation.
    package static let members: [SettingDeclaration] =
        [
            databaseURL.declaration, data.declaration, postgresBin.declaration, pepperFile.declaration,
            listen.declaration, tlsCertificate.declaration, tlsKey.declaration, gatewayListen.declaration,
            grpcListen.declaration, gatewayOpen.declaration, operationsListen.declaration, trustedProxies.declaration,
            publicURL.declaration, webhookAllow.declaration, gitHubKeysURL.declaration, gitHubKeysFile.declaration,
            publicOperations.declaration,
            maximumConnections.declaration, headTimeout.declaration, bodyTimeout.declaration, idleTimeout.declaration,
            answerTimeout.declaration, keysOut.declaration,
            operatorKey.declaration, adminKey.declaration, adminEmail.declaration, adminPassword.declaration,
            oidcIssuer.declaration, oidcClientID.declaration, oidcClientSecret.declaration, oidcName.declaration,
            passwords.declaration,
            logLevel.declaration, logFormat.declaration, accessLog.declaration, spanLog.declaration,
            threads.declaration, lookupWorkspaces.declaration, managedWorkspaces.declaration,
        ] + quotas + [drainDelay.declaration, shutdownGrace.declaration]

    /// The variables of the commands that call a server.
    static let clientVariables = [
        "MORTISE_URL", CommandCredential.variable, ServerAccess.profileVariable, ServerAccess.authoritiesVariable,
    ]

    /// The variables of Mortise that are not settings of a server.
    ///
    /// The last two belong to `docker-compose.yml` and to the tests.
    static let otherVariables = clientVariables + ["MORTISE_POSTGRES_PASSWORD", "MORTISE_TEST_DATABASE_URL"]
}
