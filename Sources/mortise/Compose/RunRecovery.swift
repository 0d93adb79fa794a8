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
    let access = InstallationAccess(settings, label: "mortise.recover")
    try await access.inspecting(whatToDoWithoutOne: "`mortise serve` creates one, with its first operator key.") {
        control,
        inspection,
        _,
        host in
        guard inspection.plans.allSatisfy({ $0.fault == nil && $0.pending.isEmpty }) else {
            throw CommandFailure(
                .refused,
                "The control database does not have the schema of this version.",
                details: ["Run `mortise migrate` first, or use the version of the servers that run."]
            )
        }
        try await OperatorRecovery.perform(control, host.secrets, logger: access.logger, show: show)
    }
}
