import Glibc
import LocalPostgres
import Logging
import Postgres
import Server
import Service

/// Examines the installation on this machine.
///
/// Creates and starts nothing. If Mortise runs PostgreSQL itself and that server does not run, the databases are not examined.
///
/// - Returns: The findings. An error of the examination is a finding too.
func runDoctor(_ settings: DoctorSettings) async throws -> [Finding] {
    let logger = Logger(label: "mortise.doctor") { _ in SwiftLogNoOpLogHandler() }
    let secrets = SecretsCheckup.run(settings.installation)
    var findings = settings.installation.findings + secrets.findings
    findings += await signIn(settings.signIn)
    if case .own = settings.installation.database, let finding = missingServer(settings.installation) {
        findings.append(finding)
        return findings
    }
    // The examination of the databases needs only the secrets, so no other problem prevents it.
    guard secrets.canBeUsed else { return findings + [.databasesLeftOut(because: "the secrets file cannot be used")] }
    do {
        let found = try await withTimeLimit(settings.timeout) {
            try await Host.with(settings.installation, secretsFile: .never, logger: logger) { host in
                try await Reactor.with(name: "doctor") { reactor in
                    try await DatabaseCheckup(
                        host: host,
                        connections: settings.connections,
                        signIn: settings.signIn,
                        showsAll: settings.showsAll,
                        reactor: reactor,
                        logger: logger
                    )
                    .run()
                }
            }
        }
        let late = Finding(
            .problem,
            "The examination did not end within \(settings.timeout.components.seconds) s, and nothing of the databases is shown.",
            remedy: "Check if PostgreSQL answers, or allow more time with --timeout."
        )
        findings += found ?? [late]
    } catch {
        findings += [finding(error), .databasesLeftOut(because: "the examination failed")]
    }
    return findings
}

extension Finding {
    /// Returns the finding that the databases were not examined, which nobody would notice otherwise.
    ///
    /// - Parameter reason: The end of the sentence, such as "the secrets file cannot be used".
    /// - Returns: The finding, a warning: its cause is a finding of its own.
    static func databasesLeftOut(because reason: String) -> Finding {
        Finding(
            .warning,
            "The databases were not examined, because \(reason).",
            remedy: "Correct that, and run this again."
        )
    }
}

/// Examines the identity provider, if the settings name one.
private func signIn(_ settings: SignInSettings) async -> [Finding] {
    guard let provider = settings.provider else { return [] }
    if let fault = await IdentityProviderCheck.run(provider) {
        return [Finding(settings.passwords == .off ? .problem : .warning, fault.sentence, remedy: fault.remedy)]
    }
    return [Finding(.fine, "The identity provider \(provider.issuer) answers.")]
}

/// Returns the reason that the PostgreSQL server of Mortise cannot be examined, or `nil` if it runs.
private func missingServer(_ settings: InstallationSettings) -> Finding? {
    let folder = settings.postgresFolder
    do {
        switch try LocalPostgres.state(of: folder) {
        case .complete where LocalPostgres.isRunning(in: folder): return nil
        case .complete:
            return Finding(
                .warning,
                "The PostgreSQL server in \(folder) does not run, so its databases were not examined.",
                remedy: "Start it with `mortise serve`, and run this again."
            )
        case .creating:
            return Finding(
                .warning,
                "Another program is creating the database in \(folder), so its databases were not examined.",
                remedy: "Run this again in some seconds."
            )
        case .empty where access(folder, F_OK) == 0:
            return Finding(
                .warning,
                "The first start was interrupted before the database in \(folder) was complete, so no databases were examined.",
                remedy: "`mortise serve` completes it."
            )
        case .empty:
            return Finding(
                .warning,
                "There is no installation in \(settings.dataFolder) yet, so there are no databases to examine.",
                remedy: "`mortise serve` creates one."
            )
        }
    } catch let error as LocalPostgresError {
        return Finding(
            .problem,
            "The databases cannot be examined: \(error.message).",
            remedy: "Run this as its owner."
        )
    } catch {
        return finding(error)
    }
}

private func finding(_ error: any Error) -> Finding {
    let failure = CommandFailure.composing(error)
    return Finding(.problem, failure.message, remedy: failure.details.first)
}
