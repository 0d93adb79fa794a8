import FoundationEssentials
import Keys
import LocalPostgres
import Logging
import Postgres
import Server
import Tenancy

/// What serve, migrate and doctor have in common: the secrets, and a PostgreSQL that is there or is run.
struct Host: Sendable {
    let secrets: SecretsFile
    let connectionString: String
    /// The PostgreSQL that this process runs, if it runs one.
    let ownServer: LocalPostgres?

    /// Reads the secrets and makes sure that there is a PostgreSQL.
    ///
    /// A missing secrets file in the data folder is made if `makesSecrets` says so.
    static func prepare(
        _ settings: InstallationSettings,
        makesSecrets: Bool,
        logger: Logger
    ) async throws -> Host {
        let secrets = try await InstallationSecrets.load(
            settings,
            isMade: makesSecrets,
            logger: logger
        )
        switch settings.database {
        case .server(let url):
            return Host(secrets: secrets, connectionString: url.reveal(), ownServer: nil)
        case .own(let binaries):
            let server = try await Self.ownServer(settings.postgresFolder, binaries, logger)
            return Host(
                secrets: secrets,
                connectionString: try await server.connectionString(database: "mortise"),
                ownServer: server
            )
        }
    }

    private static func ownServer(_ folder: String, _ binaries: String?, _ logger: Logger) async throws
        -> LocalPostgres
    {
        do {
            let installation = try binaries.map { try PostgresInstallation(binaries: $0) } ?? .find()
            var options = LocalPostgres.Options.durable
            // Root's server runs as another user, who may not be let into the folder of a clone below /root.
            options.fallbackFolder = "/var/lib/mortise"
            let server = LocalPostgres(
                installation: installation,
                directory: folder,
                options: options,
                logger: logger
            )
            try await server.start()
            logger.notice(
                "running a PostgreSQL of its own; set MORTISE_DATABASE_URL to use another",
                metadata: ["folder": "\(folder)", "binaries": "\(installation.binaries)"]
            )
            return server
        } catch let error as LocalPostgresError {
            throw CommandFailure(.refused, "PostgreSQL could not be started: \(error.message)")
        }
    }

    /// The owner's connection.
    func configuration() throws(CommandFailure) -> PostgresConfiguration {
        do throws(PostgresError) {
            var configuration = try PostgresConfiguration(connectionString)
            configuration.applicationName = "mortise"
            return configuration
        } catch {
            throw .usage("MORTISE_DATABASE_URL cannot be read as a PostgreSQL connection string.")
        }
    }

    /// Stops the PostgreSQL that this process runs.
    func stop() async {
        await ownServer?.stop()
    }
}

extension CommandFailure {
    /// What a failure to begin or to go on means to the person who typed the command.
    static func composing(_ error: any Error) -> CommandFailure {
        switch error {
        case let failure as CommandFailure: failure
        case let error as PostgresError where error.code == .connectFailed:
            CommandFailure(
                .refused,
                "PostgreSQL cannot be reached.",
                details: ["The server or libpq says: \(Redaction.redact(error.serverMessage ?? error.message))"]
            )
        case let error as PostgresError:
            CommandFailure(.refused, "PostgreSQL refused: \(error.description)")
        case let error as TenancyError:
            CommandFailure(.refused, "It cannot run here: \(error.message).")
        default:
            CommandFailure(.refused, Redaction.redact("\(error)"))
        }
    }
}
