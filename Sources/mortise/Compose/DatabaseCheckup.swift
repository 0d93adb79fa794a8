import FoundationEssentials
import KeyStore
import Keys
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// Examines the PostgreSQL server, the control database and the workspaces.
struct DatabaseCheckup {
    let host: Host
    /// The number of connections that a server with the same settings opens.
    let connections: ConnectionSettings
    let reactor: Reactor
    let logger: Logger

    /// Returns the findings.
    func run() async throws -> [Finding] {
        let owner = try host.configuration()
        let installation = Installation.standard
        let inspection = try await ControlDatabase.inspect(
            owner: owner,
            installation: installation,
            credentials: ClusterCredentials(derivedFrom: host.secrets, installation: installation),
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        var findings = schema(inspection.plans)
        guard let control = inspection.control else {
            findings.append(
                Finding(.warning, "The control database is empty.", remedy: "`mortise serve` creates its tables.")
            )
            return findings
        }
        findings += try await PostgresConnection.with(owner, reactor: reactor, logger: logger) { connection in
            try await server(connection) + peppers(connection, control) + workspaces(connection)
        }
        findings += await runtimeRole(control)
        findings += try await fleet(control)
        return findings
    }

    private func schema(_ plans: [MigrationPlan]) -> [Finding] {
        plans.map { plan in
            if let fault = plan.fault {
                return Finding(
                    .problem,
                    "The control database's schema (\(plan.line)) does not fit this program: \(fault)"
                )
            }
            if plan.isUpToDate { return Finding(.fine, "The control database's schema (\(plan.line)) is up to date.") }
            return Finding(
                .warning,
                "The control database's schema (\(plan.line)) lacks \(quantity(plan.pending.count, "migration")).",
                remedy: "Run `mortise migrate`, or start the server."
            )
        }
    }

    private func server(_ connection: PostgresConnection) async throws -> [Finding] {
        let settings = try await ServerSettings(of: connection)
        let version = settings.version
        var findings = [Finding(.fine, "PostgreSQL \(version / 10_000).\(version % 10_000) answers.")]
        if settings.isStandby {
            findings.append(
                Finding(
                    .problem,
                    "The PostgreSQL server is a standby, which accepts no changes.",
                    remedy: "Name the primary in MORTISE_DATABASE_URL."
                )
            )
        }
        if !settings.fsync || !settings.fullPageWrites {
            findings.append(
                Finding(
                    .problem,
                    "fsync or full_page_writes is off: a crash of the machine can destroy the databases.",
                    remedy: "Set both to on."
                )
            )
        }
        if settings.synchronousCommit == "off" {
            findings.append(
                Finding(
                    .problem,
                    "synchronous_commit is off: a crash can lose a revocation that was confirmed.",
                    remedy: "Set synchronous_commit to on."
                )
            )
        }
        let used = self.connections.maximum
        if settings.maximumConnections < used + ConnectionSettings.reserve {
            findings.append(
                Finding(
                    .warning,
                    "max_connections is \(settings.maximumConnections); one Mortise server with these settings opens up to \(used).",
                    remedy:
                        "Raise max_connections to \(used + ConnectionSettings.reserve) or more for each Mortise server."
                )
            )
        }
        return findings
    }

    private func peppers(_ connection: PostgresConnection, _ control: ControlDatabase) async throws -> [Finding] {
        var findings: [Finding] = []
        let known = try await PepperStore(connection).checkValues()
        // To count the tokens of each pepper means to read all of them, so it is only done during and after a rotation.
        var use: [String: PepperUse]?
        if known.count > 1 {
            do {
                use = try await withResource(Provisioner(control)) {
                    try await $0.pepperUse()
                } close: {
                    await $0.shutdown()
                }
            } catch {
                findings.append(Finding(.warning, "The tokens of each pepper cannot be counted: \(error)"))
            }
        }
        for (name, value) in known.sorted(by: { $0.key < $1.key }) {
            guard let id = SecretID(name), let pepper = host.secrets.peppers[id] else {
                if let use, use[name] == nil {
                    findings.append(Finding(.fine, "Pepper \(name) is not in the secrets file, and no token needs it."))
                    continue
                }
                findings.append(
                    Finding(
                        .problem,
                        "The database has digests with pepper \(name), which the secrets file lacks.",
                        remedy: "Restore the secrets file. Without the pepper, those tokens cannot be verified."
                    )
                )
                continue
            }
            guard Digest(bytes: value) == pepper.checkValue else {
                findings.append(
                    Finding(
                        .problem,
                        "Pepper \(name) of the secrets file differs from the pepper of the database.",
                        remedy: "Restore the secrets file of this installation."
                    )
                )
                continue
            }
            findings.append(Finding(.fine, "Pepper \(name) fits the database.\(need(of: id, in: use))"))
        }
        return findings
    }

    /// Returns a sentence about the tokens that need a pepper, or nothing if they were not counted.
    private func need(of id: SecretID, in use: [String: PepperUse]?) -> String {
        guard let use else { return "" }
        guard let need = use[id.text] else {
            return host.secrets.peppers.current.id == id
                ? " No token has it yet."
                : " No token needs it any more, so its line can be removed from the secrets file."
        }
        return
            " \(quantity(need.tokens, "token")) in \(quantity(need.databases, "database")) need\(need.tokens == 1 ? "s" : "") it."
    }

    private func workspaces(_ connection: PostgresConnection) async throws -> [Finding] {
        try await ControlStore(connection).workspaceCounts()
            .map { group in
                let isComplete = group.changing == 0 && group.state != "creating" && group.state != "deleting"
                let workspaces = "\(quantity(group.count, "workspace")) \(group.count == 1 ? "is" : "are")"
                return isComplete
                    ? Finding(.fine, "\(workspaces) \(group.state).")
                    : Finding(
                        .warning,
                        "\(workspaces) \(group.state), \(group.changing) with a change under way.",
                        remedy: "If this stays, read the reason in the server's log."
                    )
            }
    }

    /// Connects with the role of the service.
    private func runtimeRole(_ control: ControlDatabase) async -> [Finding] {
        do {
            return try await withResource(try Databases(control)) { databases in
                try await databases.control.probe()
                return [Finding(.fine, "The role \(control.installation.runtimeRole) can connect.")]
            } close: {
                await $0.shutdown()
            }
        } catch {
            return [
                Finding(
                    .problem,
                    "The role \(control.installation.runtimeRole) cannot connect.",
                    remedy: "Allow it in pg_hba.conf (scram-sha-256). A start of the server sets its password."
                )
            ]
        }
    }

    private func fleet(_ control: ControlDatabase) async throws -> [Finding] {
        let report = try await withResource(Provisioner(control)) { provisioner in
            try await provisioner.migrateFleet(FleetOptions(isDryRun: true))
        } close: {
            await $0.shutdown()
        }
        var findings: [Finding] = report.outcomes.compactMap { outcome in
            switch outcome.status {
            case .upToDate, .migrated: nil
            case .skipped: Finding(.warning, "The database of workspace \(outcome.name) was not examined.")
            case .pending(let files):
                Finding(
                    .warning,
                    "The schema of workspace \(outcome.name) lacks \(quantity(files.count, "migration")).",
                    remedy: "Run `mortise migrate --workspaces`."
                )
            case .unreachable(let reason), .failed(let reason):
                Finding(.problem, "The database of workspace \(outcome.name) cannot be examined: \(reason)")
            }
        }
        if let failure = report.listingFailure {
            findings.append(Finding(.problem, "Not all workspaces could be examined: \(failure)"))
        }
        return findings
    }
}
