import FoundationEssentials
import Glibc
import Keys
import LocalPostgres
import Logging
import Migrations
import Postgres
import Tenancy

/// Examines the installation on this machine.
///
/// It changes nothing. A PostgreSQL of Mortise's own is started for the examination if no server runs it.
func runDoctor(_ settings: DoctorSettings) async throws -> [Finding] {
    let logger = Logger(label: "mortise.doctor") { _ in SwiftLogNoOpLogHandler() }
    var findings = SecretsCheckup.run(settings)
    if case .own = settings.database, access("\(settings.dataFolder)/postgres", F_OK) != 0 {
        findings.append(
            Finding(
                .warning,
                "There is no installation in \(settings.dataFolder) yet.",
                remedy: "`mortise serve` makes one."
            )
        )
        return findings
    }
    guard !findings.contains(where: { $0.level == .problem }) else { return findings }
    do {
        let host = try await Host.prepare(
            settings.database,
            dataFolder: settings.dataFolder,
            secretsFile: settings.secretsFile,
            makesSecrets: false,
            logger: logger
        )
        let reactor = try Reactor()
        do {
            findings += try await DatabaseCheckup(host: host, reactor: reactor, logger: logger).run()
        } catch {
            findings.append(finding(error))
        }
        await reactor.shutdown()
        await host.stop()
    } catch {
        findings.append(finding(error))
    }
    return findings
}

private func finding(_ error: any Error) -> Finding {
    let failure = CommandFailure.composing(error)
    return Finding(.problem, failure.message, remedy: failure.details.first)
}
