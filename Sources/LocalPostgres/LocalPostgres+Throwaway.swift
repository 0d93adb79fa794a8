public import FoundationEssentials
import Glibc
public import Logging

extension LocalPostgres {
    /// Starts a server with empty data in a temporary folder, for tests.
    ///
    /// The server ends and its folder is removed at ``stop(mode:)``, or when this process ends, also after a crash.
    ///
    /// - Parameters:
    ///   - options: The options of the server.
    ///   - environment: The variables that name the programs (see ``PostgresInstallation/find(environment:)``), and `TMPDIR`.
    ///   - logger: Receives a line for each start and stop.
    /// - Returns: The running server.
    /// - Throws: ``LocalPostgresError``, or `CancellationError`. After an error, no process and no file is left.
    public static func throwaway(
        options: Options = .throwaway,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        logger: Logger
    ) async throws -> LocalPostgres {
        let installation = try PostgresInstallation.find(environment: environment)
        let temporary = environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        let directory = try SystemCall.makeUniqueFolder(prefix: "\(temporary)/local-postgres-")
        let folder = ServerFolder(path: directory)
        do {
            // The server's account must pass through this folder to reach its own folders.
            if geteuid() == 0 { try SystemCall.changeMode(directory, 0o711) }
            let server = LocalPostgres(
                installation: installation,
                directory: directory,
                options: options,
                removesFolder: true,
                logger: logger
            )
            try await server.start()
            return server
        } catch {
            try folder.remove()
            throw error
        }
    }
}
