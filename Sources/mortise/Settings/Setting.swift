/// A setting of the server: its variable and its flag.
package struct Setting: Sendable, Hashable {
    /// The environment variable, such as `MORTISE_LISTEN`.
    package let variable: String
    /// The flag, such as `--listen`, or the one that names a file for a secret.
    package let flag: String
    /// Whether the flag names a file instead of giving the value.
    package let isSecret: Bool

    private init(_ variable: String, _ flag: String, isSecret: Bool = false) {
        self.variable = variable
        self.flag = flag
        self.isSecret = isSecret
    }

    static let databaseURL = Setting("MORTISE_DATABASE_URL", "--database-url-file", isSecret: true)
    static let data = Setting("MORTISE_DATA", "--data")
    static let postgresBin = Setting("MORTISE_POSTGRES_BIN", "--postgres-bin")
    static let listen = Setting("MORTISE_LISTEN", "--listen")
    static let pepperFile = Setting("MORTISE_PEPPER_FILE", "--pepper-file")
    static let operatorKey = Setting("MORTISE_OPERATOR_KEY", "--operator-key-file", isSecret: true)
    static let adminKey = Setting("MORTISE_ADMIN_KEY", "--admin-key-file", isSecret: true)
    static let adminEmail = Setting("MORTISE_ADMIN_EMAIL", "--admin-email")
    static let adminPassword = Setting("MORTISE_ADMIN_PASSWORD", "--admin-password-file", isSecret: true)
    static let logLevel = Setting("MORTISE_LOG_LEVEL", "--log-level")
    static let logFormat = Setting("MORTISE_LOG_FORMAT", "--log-format")
    static let accessLog = Setting("MORTISE_ACCESS_LOG", "--access-log")
    static let threads = Setting("MORTISE_THREADS", "--threads")
    static let lookupWorkspaces = Setting("MORTISE_LOOKUP_WORKSPACES", "--lookup-workspaces")
    static let managedWorkspaces = Setting("MORTISE_MANAGED_WORKSPACES", "--managed-workspaces")
    static let trustedProxies = Setting("MORTISE_TRUSTED_PROXIES", "--trusted-proxies")
    static let drainDelay = Setting("MORTISE_DRAIN_DELAY", "--drain-delay")
    static let shutdownGrace = Setting("MORTISE_SHUTDOWN_GRACE", "--shutdown-grace")
}
