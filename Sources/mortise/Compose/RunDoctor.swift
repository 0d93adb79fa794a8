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
/// It makes nothing. A PostgreSQL of Mortise's own is started for the examination if no server runs it.
func runDoctor(_ settings: DoctorSettings) async throws -> [Finding] {
    let logger = Logger(label: "mortise.doctor") { _ in SwiftLogNoOpLogHandler() }
    var findings = settings.installation.findings + SecretsCheckup.run(settings.installation)
    if case .own = settings.installation.database, let finding = unfinished(settings.installation) {
        findings.append(finding)
        return findings
    }
    guard !findings.contains(where: { $0.level == .problem }) else { return findings }
    do {
        let found = try await withTimeLimit(settings.timeout) { try await examine(settings, logger) }
        let late = Finding(
            .problem,
            "The examination did not end within \(settings.timeout.components.seconds) s.",
            remedy: "Look whether PostgreSQL answers, or give it more time with --timeout."
        )
        findings += found ?? [late]
    } catch {
        findings.append(finding(error))
    }
    return findings
}

/// Says why a PostgreSQL of Mortise's own has no data; `nil` if it has.
private func unfinished(_ settings: InstallationSettings) -> Finding? {
    let folder = settings.postgresFolder
    do {
        switch try LocalPostgres.state(of: folder) {
        case .complete: return nil
        case .creating:
            return Finding(
                .warning,
                "Another program is making the database in \(folder) at this moment.",
                remedy: "Ask again when it is done; it takes some seconds."
            )
        case .empty where access(folder, F_OK) == 0:
            return Finding(
                .warning,
                "A first start was interrupted before it had made the database in \(folder).",
                remedy: "`mortise serve` goes on with it."
            )
        case .empty:
            return Finding(
                .warning,
                "There is no installation in \(settings.dataFolder) yet.",
                remedy: "`mortise serve` makes one."
            )
        }
    } catch let error as LocalPostgresError {
        return Finding(.problem, "The database cannot be examined: \(error.message).", remedy: "Run this as its owner.")
    } catch {
        return finding(error)
    }
}

/// Examines what PostgreSQL holds.
private func examine(_ settings: DoctorSettings, _ logger: Logger) async throws -> [Finding] {
    let host = try await Host.prepare(
        settings.installation,
        makesSecrets: false,
        logger: logger
    )
    let findings: Result<[Finding], any Error>
    do {
        let reactor = try Reactor()
        do {
            findings = .success(
                try await DatabaseCheckup(
                    host: host,
                    connections: settings.connections,
                    reactor: reactor,
                    logger: logger
                )
                .run()
            )
        } catch {
            findings = .failure(error)
        }
        await reactor.shutdown()
    } catch {
        findings = .failure(error)
    }
    await host.stop()
    return try findings.get()
}

private func finding(_ error: any Error) -> Finding {
    let failure = CommandFailure.composing(error)
    return Finding(.problem, failure.message, remedy: failure.details.first)
}
