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
    /// The ways in which members sign in.
    let signIn: SignInSettings
    /// True for a finding for each workspace, false for one for each kind of fault.
    let showsAll: Bool
    let reactor: Reactor
    let logger: Logger

    /// Returns the findings.
    func run() async throws -> [Finding] {
        let owner = try host.configuration()
        let installation = Installation.standard
        let connection = try await connection(owner)
        // The other examinations need sessions that are their own.
        if connection.contains(where: { $0.level == .problem }) {
            return connection + [.databasesLeftOut(because: "the connection to PostgreSQL cannot be relied on")]
        }
        let inspection = try await ControlDatabase.inspect(
            owner: owner,
            installation: installation,
            credentials: ClusterCredentials(derivedFrom: host.secrets, installation: installation),
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        var findings = connection + schema(inspection.plans)
        guard let control = inspection.control else {
            findings.append(
                Finding(.warning, "The control database is empty.", remedy: "`mortise serve` creates its tables.")
            )
            return findings
        }
        findings += try await PostgresConnection.with(owner, reactor: reactor, logger: logger) { connection in
            try await server(connection) + collations(installation, connection) + peppers(connection, control)
                + workspaces(connection)
        }
        if inspection.plans.allSatisfy(\.isUpToDate) {
            findings += try await PostgresConnection.with(owner, reactor: reactor, logger: logger) {
                try await owners($0) + operators($0)
            }
        }
        findings += try await held(control)
        findings += await runtimeRole(control)
        findings += try await clusters(control)
        findings += try await privileges(control)
        let names = try await PostgresConnection.with(owner, reactor: reactor, logger: logger) {
            try await FleetNames.read($0)
        }
        findings += try await fleet(control, names)
        return findings
    }

    /// Checks whether there is one PostgreSQL server behind the connection string.
    private func connection(_ owner: PostgresConfiguration) async throws -> [Finding] {
        let examination = ConnectionExamination(owner, reactor: reactor, logger: logger)
        let hosts = await examination.hosts()
        let faults = try await examination.sessions() + hosts.faults
        let unreachable = hosts.unreachable.map { host in
            Finding(
                .warning,
                "The host \(host) of the database URL cannot be reached.",
                remedy: "Start it, or remove it from the URL."
            )
        }
        return unreachable
            + faults.map { fault in
                let message = fault.message.prefix(1).uppercased() + fault.message.dropFirst() + "."
                return Finding(.problem, message, remedy: fault.remedy)
            }
    }

    /// Checks whether a restoration keeps servers from starting.
    private func held(_ control: ControlDatabase) async throws -> [Finding] {
        guard let held = try await control.heldRestoration() else { return [] }
        return [
            Finding(
                .problem,
                "The installation was restored from a backup of \(held.moment.rfc3339) and is held: no server starts.",
                remedy: "Run `mortise release`, which says what to decide first."
            )
        ]
    }

    private func schema(_ plans: [MigrationPlan]) -> [Finding] {
        plans.map { plan in
            if let fault = plan.fault {
                return Finding(
                    .problem,
                    "The control database's schema (\(plan.line)) does not fit this program: \(fault)"
                )
            }
            if plan.isNewer {
                return Finding(
                    .problem,
                    "The control database's schema (\(plan.line)) is \(NewerSchema.state).",
                    remedy: NewerSchema.remedy
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

    /// Warns if nobody has shown yet that an owner can sign in without a password.
    private func owners(_ connection: PostgresConnection) async throws -> [Finding] {
        guard signIn.passwords == .off, let provider = signIn.provider,
            let fault = try await SignInFault.find(provider, on: connection)
        else { return [] }
        return [Finding(.warning, fault.sentence, remedy: fault.remedy)]
    }

    /// Checks whether somebody can still manage organizations.
    private func operators(_ connection: PostgresConnection) async throws -> [Finding] {
        guard try await OperatorRecovery.isNeeded(over: connection) else { return [] }
        return [
            Finding(
                .problem,
                "No live operator key works, so nobody can manage organizations.",
                remedy: "`mortise key recover` creates one."
            )
        ]
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
        if let finding = inheritedDurability(settings) { findings.append(finding) }
        if let finding = standbys(settings) { findings.append(finding) }
        let used = connections.maximum(allowed: settings.maximumConnections)
        if settings.maximumConnections < used + ConnectionSettings.reserve {
            findings.append(
                Finding(
                    .warning,
                    "max_connections is \(settings.maximumConnections); one Mortise server with these settings opens up to \(used).",
                    remedy:
                        "Raise max_connections to \(connections.recommended) or more for each Mortise server."
                )
            )
        }
        return findings
    }

    private func collations(
        _ installation: Installation,
        _ connection: PostgresConnection
    ) async throws -> [Finding] {
        let names = try await ServerSettings.databasesWithOutdatedCollation(of: installation, on: connection)
        guard let first = names.first else { return [] }
        return [
            Finding(
                .problem,
                "\(quantity(names.count, "database")) of this installation, such as \(first), have indexes that another version of the system's collations sorted.",
                remedy:
                    "For each: REINDEX DATABASE \"\(first)\", then ALTER DATABASE \"\(first)\" REFRESH COLLATION VERSION. Templates are created again."
            )
        ]
    }

    /// Examines the default of `synchronous_commit`, which Mortise's own connections do not inherit.
    private func inheritedDurability(_ settings: ServerSettings) -> Finding? {
        let consequence: String
        switch settings.synchronousCommit {
        case "off": consequence = "a crash can lose changes of other programs that were confirmed"
        case "local": consequence = "changes of other programs do not wait for a synchronous standby"
        case "remote_write":
            consequence = "changes of other programs can be lost if the primary and its standby crash together"
        default: return nil
        }
        return Finding(
            .warning,
            "synchronous_commit is \(settings.synchronousCommit): \(consequence). Mortise sets it to on for its own changes.",
            remedy: "Set synchronous_commit to on."
        )
    }

    /// Examines the standbys that a change waits for.
    private func standbys(_ settings: ServerSettings) -> Finding? {
        let names = settings.synchronousStandbyNames
        if names.isEmpty || settings.isStandby { return nil }
        switch settings.synchronousStandbys {
        case .connected(0):
            return Finding(
                .problem,
                "synchronous_standby_names is \"\(names)\", and no such standby follows: every change waits, and is answered with 503.",
                remedy: "Start the standby, or remove its name if the changes since then need not survive the primary."
            )
        case .connected(let count):
            let standbys = quantity(count, "synchronous standby", plural: "synchronous standbys")
            return Finding(.fine, "\(standbys) \(count == 1 ? "follows" : "follow").")
        case .invisible:
            return Finding(
                .warning,
                "synchronous_standby_names is \"\(names)\", but the role cannot see if such a standby follows.",
                remedy: "Grant it pg_read_all_stats."
            )
        }
    }

    private func peppers(_ connection: PostgresConnection, _ control: ControlDatabase) async throws -> [Finding] {
        var findings: [Finding] = []
        let known = try await PepperStore(connection).checkValues()
        // To count the tokens of each pepper means to read all of them, so it is only done during and after a rotation.
        var count: PepperCount?
        if known.count > 1 {
            do {
                count = try await withResource(Provisioner(control)) {
                    try await $0.pepperUse()
                } close: {
                    await $0.shutdown()
                }
            } catch {
                findings.append(Finding(.warning, "The tokens of each pepper cannot be counted: \(error)"))
            }
        }
        if let count, !count.unread.isEmpty {
            let names = try await FleetNames.read(connection)
            let unread = count.unread.map { names.name($0.key, slug: $0.value) }.sorted()
            findings.append(
                Finding(
                    .warning,
                    "The tokens of each pepper were not counted in \(quantity(unread.count, "database")): \(unread.summary).",
                    remedy: "Remove no pepper before they can be read: their tokens can need it."
                )
            )
        }
        for (name, value) in known.sorted(by: { $0.key < $1.key }) {
            guard let id = SecretID(name), let pepper = host.secrets.peppers[id] else {
                if let count, count.unread.isEmpty, count.use[name] == nil {
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
            findings.append(Finding(.fine, "Pepper \(name) fits the database.\(need(of: id, in: count))"))
        }
        return findings
    }

    /// Returns a sentence about the tokens that need a pepper, or nothing if they were not counted.
    private func need(of id: SecretID, in count: PepperCount?) -> String {
        guard let count else { return "" }
        guard let need = count.use[id.text] else {
            if !count.unread.isEmpty { return " No token that was counted needs it." }
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
                let durability = try await databases.control.synchronousCommit()
                let settings = try await control.settingsOfRuntimeRole()
                return [Finding(.fine, "The role \(control.installation.runtimeRole) can connect.")]
                    + weakDurability(durability) + roleSettings(settings)
            } close: {
                await $0.shutdown()
            }
        } catch {
            return [
                Finding(
                    .problem,
                    "The role \(control.installation.runtimeRole) cannot connect.",
                    remedy: advice(
                        (error as? PostgresError)?.wordsForOwner.map { [$0] } ?? [],
                        "Allow it in pg_hba.conf (scram-sha-256). A start of the server sets its password."
                    )
                )
            ]
        }
    }

    /// Examines the durability of the service's own changes.
    private func weakDurability(_ value: String) -> [Finding] {
        if value == "on" { return [] }
        return [
            Finding(
                .problem,
                "The connections of the service have synchronous_commit \(value): a confirmed change can be lost.",
                remedy: "Something between Mortise and PostgreSQL drops the settings of connections. Connect directly."
            )
        ]
    }

    /// Examines the settings that somebody gave to the role of the service.
    private func roleSettings(_ settings: [String]) -> [Finding] {
        if settings.isEmpty { return [] }
        return [
            Finding(
                .warning,
                "The role of the service has settings of its own: \(settings.joined(separator: ", ")).",
                remedy: "Start the server again, which removes them. Set such values for the whole PostgreSQL server."
            )
        ]
    }

    /// Examines the privileges of the databases of workspaces, which a restore without them loses.
    private func privileges(_ control: ControlDatabase) async throws -> [Finding] {
        let databases = try await control.databasesWithoutPrivileges()
        guard let first = databases.first else { return [] }
        let role = control.installation.runtimeRole
        let more = databases.count == 1 ? "" : " and \(databases.count - 1) more"
        return [
            Finding(
                .problem,
                "The privileges of the database \(first)\(more) are lost: all roles can connect to it, or \(role) cannot.",
                remedy: "Start the server again, which restores them."
            )
        ]
    }

    /// Examines the database of leases and fences on every cluster.
    private func clusters(_ control: ControlDatabase) async throws -> [Finding] {
        try await control.migrateClusterDatabases(isDryRun: true).outcomes
            .map { outcome in
                let database = "The database \(control.installation.clusterDatabase) of cluster \(outcome.name)"
                switch outcome.status {
                case .upToDate where outcome.isNewer:
                    return Finding(.problem, "\(database) is \(NewerSchema.state).", remedy: NewerSchema.remedy)
                case .upToDate, .migrated: return Finding(.fine, "\(database) is up to date.")
                case .pending(let files):
                    return Finding(
                        .warning,
                        "\(database) lacks \(quantity(files.count, "migration")).",
                        remedy: "Run `mortise migrate`, or start the server."
                    )
                case .unreachable(let reason), .failed(let reason):
                    return Finding(
                        .problem,
                        "\(database) cannot be examined: \(reason)",
                        remedy: advice(
                            outcome.words.map { [$0] } ?? [],
                            "If it does not exist, run `mortise migrate`, or start the server."
                        )
                    )
                case .skipped: return Finding(.warning, "\(database) was not examined.")
                }
            }
    }
}
