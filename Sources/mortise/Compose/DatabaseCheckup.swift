import FoundationEssentials
import Keys
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// Examines the PostgreSQL server, the control database and the workspaces.
struct DatabaseCheckup {
    let host: Host
    /// How many connections a server has that is started with the same settings.
    let connections: ConnectionSettings
    let reactor: Reactor
    let logger: Logger

    private static let settings = Statement(
        """
        SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on',
               current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'),
               current_setting('max_connections')::int, pg_is_in_recovery()
        """,
        prepared: false
    )
    private static let workspaces = Statement(
        "SELECT state, count(*), count(target_state) FROM control.workspaces GROUP BY state ORDER BY state",
        prepared: false
    )
    private static let peppers = Statement("SELECT id, check_value FROM control.peppers", prepared: false)

    func run() async throws -> [Finding] {
        let owner = try host.configuration()
        let installation = Installation.standard
        let found = try await ControlDatabase.inspect(
            owner: owner,
            installation: installation,
            credentials: ClusterCredentials(derivedFrom: host.secrets, installation: installation),
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        var findings = schema(found.plans)
        guard let control = found.control else {
            findings.append(Finding(.warning, "The control database is empty.", remedy: "`mortise serve` sets it up."))
            return findings
        }
        let connection = try await PostgresConnection.connect(owner, reactor: reactor, logger: logger)
        do {
            findings += try await server(connection)
            findings += try await peppers(connection)
            findings += try await workspaces(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        findings += await runtimeRole(control)
        findings += try await fleet(control)
        return findings
    }

    private func schema(_ plans: [MigrationPlan]) -> [Finding] {
        plans.map { plan in
            if let fault = plan.fault {
                return Finding(.problem, "The control database's schema (\(plan.line)) is not this program's: \(fault)")
            }
            if plan.isUpToDate { return Finding(.fine, "The control database's schema (\(plan.line)) is up to date.") }
            return Finding(
                .warning,
                "The control database's schema (\(plan.line)) is \(plan.pending.count) files behind.",
                remedy: "`mortise migrate`, or start the server."
            )
        }
    }

    private func server(_ connection: PostgresConnection) async throws -> [Finding] {
        guard let row = try await connection.query(Self.settings).first else { return [] }
        let (version, fsync, pages, commit, connections, isStandby) = try row.decode(
            (Int32, Bool, Bool, String, Int32, Bool).self
        )
        var findings = [Finding(.fine, "PostgreSQL \(version / 10_000).\(version % 10_000) answers.")]
        if isStandby {
            findings.append(
                Finding(
                    .problem,
                    "It is a standby, which nothing can be written to.",
                    remedy: "Point MORTISE_DATABASE_URL at the primary."
                )
            )
        }
        if !fsync || !pages {
            findings.append(
                Finding(
                    .problem,
                    "fsync or full_page_writes is off: a crash of the machine can destroy the databases.",
                    remedy: "Set both to on."
                )
            )
        }
        if commit == "off" {
            findings.append(
                Finding(
                    .problem,
                    "synchronous_commit is off: a crash can forget a revocation that was confirmed.",
                    remedy: "Set synchronous_commit to on."
                )
            )
        }
        let used = self.connections.maximum
        if Int(connections) < used + ConnectionSettings.reserve {
            findings.append(
                Finding(
                    .warning,
                    "max_connections is \(connections); one server of Mortise with these settings uses up to \(used).",
                    remedy:
                        "Raise max_connections to \(used + ConnectionSettings.reserve) or more, for each server that you run."
                )
            )
        }
        return findings
    }

    private func peppers(_ connection: PostgresConnection) async throws -> [Finding] {
        var findings: [Finding] = []
        for row in try await connection.query(Self.peppers) {
            let (name, value) = try row.decode((String, [UInt8]).self)
            guard let id = SecretID(name), let pepper = host.secrets.peppers[id] else {
                findings.append(
                    Finding(
                        .problem,
                        "The database has digests under pepper \(name), which is not in the secrets file.",
                        remedy: "Restore the secrets file, or tokens made with it cannot be verified."
                    )
                )
                continue
            }
            guard Digest(bytes: value) == pepper.checkValue else {
                findings.append(
                    Finding(
                        .problem,
                        "Pepper \(name) of the secrets file is not the one that the database was set up with.",
                        remedy: "Restore the right secrets file."
                    )
                )
                continue
            }
            findings.append(Finding(.fine, "Pepper \(name) fits the database."))
        }
        return findings
    }

    private func workspaces(_ connection: PostgresConnection) async throws -> [Finding] {
        try await connection.query(Self.workspaces)
            .map { row in
                let (state, count, underWay) = try row.decode((String, Int, Int).self)
                let isSettled = underWay == 0 && state != "creating" && state != "deleting"
                return isSettled
                    ? Finding(.fine, "\(count) workspaces are \(state).")
                    : Finding(
                        .warning,
                        "\(count) workspaces are \(state), \(underWay) of them with a change under way.",
                        remedy: "If this stays, the log of the server says what keeps it from finishing."
                    )
            }
    }

    /// What the server itself connects as.
    private func runtimeRole(_ control: ControlDatabase) async -> [Finding] {
        do {
            let databases = try Databases(control)
            do {
                try await databases.control.pool.query(Statement("SELECT 1", prepared: false))
                await databases.shutdown()
                return [Finding(.fine, "The role \(control.installation.runtimeRole) can connect.")]
            } catch {
                await databases.shutdown()
                throw error
            }
        } catch {
            return [
                Finding(
                    .problem,
                    "The role \(control.installation.runtimeRole) cannot connect.",
                    remedy: "pg_hba.conf must let it in by scram-sha-256; starting the server sets its password."
                )
            ]
        }
    }

    private func fleet(_ control: ControlDatabase) async throws -> [Finding] {
        let provisioner = Provisioner(control)
        let report = try await provisioner.migrateFleet(FleetOptions(isDryRun: true))
        await provisioner.shutdown()
        var findings: [Finding] = report.outcomes.compactMap { outcome in
            switch outcome.status {
            case .upToDate, .migrated: nil
            case .skipped: Finding(.warning, "The database of workspace \(outcome.name) was not examined.")
            case .pending(let files):
                Finding(
                    .warning,
                    "The schema of workspace \(outcome.name) is \(files.count) files behind.",
                    remedy: "`mortise migrate --workspaces`"
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
