import Keys
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// Creates an operator key beside the database.
///
/// - Parameters:
///   - settings: The database and the files of the installation.
///   - show: Shows the token before the key is committed.
/// - Throws: `CommandFailure`.
func runRecovery(_ settings: InstallationSettings, show: @escaping @Sendable (Token) async throws -> Void) async throws
{
    try settings.printWarnings()
    let logger = Logger(label: "mortise.recover") { _ in SwiftLogNoOpLogHandler() }
    try await Host.with(settings, secretsFile: .never, logger: logger) { host in
        try await Reactor.with(name: "recover") { reactor in
            let owner = try host.configuration()
            try await Bootstrap.checkBefore(host.secrets, owner: owner, reactor: reactor, logger: logger)
            let inspection = try await ControlDatabase.inspect(
                owner: owner,
                installation: .standard,
                credentials: ClusterCredentials(derivedFrom: host.secrets, installation: .standard),
                version: Version.current,
                reactor: reactor,
                logger: logger
            )
            guard let control = inspection.control else {
                throw CommandFailure(
                    .refused,
                    "There is no installation yet.",
                    details: ["`mortise serve` creates one, with its first operator key."]
                )
            }
            guard inspection.plans.allSatisfy({ $0.fault == nil && $0.pending.isEmpty }) else {
                throw CommandFailure(
                    .refused,
                    "The control database has not the schema of this version.",
                    details: ["Run `mortise migrate` first, or use the version of the servers that run."]
                )
            }
            try await OperatorRecovery.perform(control, host.secrets, logger: logger, show: show)
        }
    }
}
