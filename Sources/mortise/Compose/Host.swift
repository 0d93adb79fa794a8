import FoundationEssentials
import Keys
import LocalPostgres
import Logging
import Postgres

/// The secrets and the PostgreSQL server of an installation, for the duration of one command.
struct Host: Sendable {
    /// The secrets of the installation.
    let secrets: SecretsFile

    private let connectionString: String
    /// The PostgreSQL server that Mortise runs.
    ///
    /// `nil` if a setting names another.
    private let ownServer: LocalPostgres?

    /// Reads the secrets, starts PostgreSQL if Mortise runs it, passes both to `body`, and stops PostgreSQL afterwards.
    ///
    /// PostgreSQL is stopped on every path out of `body`: a return, an error, a cancellation.
    ///
    /// - Parameters:
    ///   - settings: The database and the files of the installation.
    ///   - creation: The treatment of a secrets file that does not exist.
    ///   - logger: Receives a line for each start and stop.
    ///   - body: The work of the command.
    /// - Returns: The value that `body` returns.
    /// - Throws: `CommandFailure`, also for an error of `body`.
    static func with<Value>(
        _ settings: InstallationSettings,
        secretsFile creation: SecretsFileCreation,
        logger: Logger,
        _ body: (Host) async throws -> Value
    ) async throws -> Value {
        do {
            let secrets = try await InstallationSecrets.load(settings, creation, logger: logger)
            switch settings.database {
            case .server(let url):
                return try await body(Host(secrets: secrets, connectionString: url.reveal(), ownServer: nil))
            case .own(let binaries):
                return try await withOwnServer(settings, binaries, logger) { server in
                    let connectionString = try await server.connectionString(database: "mortise")
                    return try await body(
                        Host(secrets: secrets, connectionString: connectionString, ownServer: server)
                    )
                }
            }
        } catch {
            throw CommandFailure.composing(error)
        }
    }

    /// Returns the configuration of the owner's connections.
    ///
    /// The rules are those of ``configuration(_:)``.
    func configuration() throws(CommandFailure) -> PostgresConfiguration { try Self.configuration(connectionString) }

    /// Returns the configuration of a connection string.
    ///
    /// A connection string that names no database means `mortise`, where libpq would take the name of the role. White space around the
    /// connection string does not count: a file that is mounted as a secret often ends with a line feed.
    static func configuration(_ connectionString: String) throws(CommandFailure) -> PostgresConfiguration {
        var configuration = try parsed(connectionString)
        if let keyword = configuration.parameters.first(where: { hasControlCharacter($0.value) })?.key {
            throw .usage(
                "The database URL has a line end or another control character in \(keyword).",
                details: ["Correct \(Settings.databaseURL.declaration.variable)."]
            )
        }
        let environment = ProcessInfo.processInfo.environment
        let isNamedElsewhere =
            configuration.parameters["service"] != nil || environment["PGDATABASE"] != nil
            || environment["PGSERVICE"] != nil
        if configuration.database?.isEmpty ?? !isNamedElsewhere { configuration.database = "mortise" }
        configuration.applicationName = "mortise"
        return configuration
    }

    private static func hasControlCharacter(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }

    private static func parsed(_ connectionString: String) throws(CommandFailure) -> PostgresConfiguration {
        let text = connectionString.drop(while: \.isWhitespace)
        let end = text.lastIndex { !$0.isWhitespace }
        do throws(PostgresError) {
            return try PostgresConfiguration(end.map { String(text[...$0]) } ?? "")
        } catch {
            let setting = Settings.databaseURL.declaration
            throw .usage(
                "The database URL is not a PostgreSQL connection string.",
                details: ["Correct \(setting.variable) or the file that \(setting.flag) names."]
            )
        }
    }

    /// Does work, during which Mortise's own PostgreSQL server is started again whenever it ends.
    ///
    /// - Throws: The error of the work. `CommandFailure` if the server cannot be started again; the work is cancelled then.
    func supervising(_ work: @escaping @Sendable () async throws -> Void) async throws {
        guard let ownServer else { return try await work() }
        try await withThrowingTaskGroup { group in
            group.addTask {
                do {
                    try await ownServer.supervise()
                } catch let error as LocalPostgresError {
                    throw CommandFailure(.refused, "PostgreSQL ended and could not be started again: \(error.message)")
                }
                // The supervision ends only with the work.
                try? await Task.sleep(for: .seconds(1 << 40))
            }
            group.addTask { try await work() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func withOwnServer<Value>(
        _ settings: InstallationSettings,
        _ binaries: String?,
        _ logger: Logger,
        _ body: (LocalPostgres) async throws -> Value
    ) async throws -> Value {
        LibPQEnvironment.clear()
        do {
            let installation =
                try binaries.map { try PostgresInstallation(binaries: $0) } ?? .find(forDataIn: settings.postgresFolder)
            var options = LocalPostgres.Options.durable
            // For root, the server runs as another user, who may not be able to enter a folder below /root.
            options.fallbackFolder = "/var/lib/mortise"
            let server = LocalPostgres(
                installation: installation,
                directory: settings.postgresFolder,
                options: options,
                logger: logger
            )
            return try await withResource(server) { server in
                try await server.start()
                let link = settings.postgresFolder
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
                logger.notice(
                    "the PostgreSQL server is Mortise's own; MORTISE_DATABASE_URL names another",
                    metadata: ["folder": "\(target ?? link)", "binaries": "\(installation.binaries)"]
                )
                if let target {
                    logger.notice(
                        "the databases are outside the data folder, which has a link to them",
                        metadata: ["folder": "\(target)", "link": "\(link)"]
                    )
                }
                return try await body(server)
            } close: {
                await $0.stop()
            }
        } catch let error as LocalPostgresError {
            throw CommandFailure(.refused, "PostgreSQL could not be started: \(error.message)")
        }
    }
}
