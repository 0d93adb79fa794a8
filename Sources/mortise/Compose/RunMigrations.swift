import FoundationEssentials
import JSON
import Keys
import Locks
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// Migrates or examines the databases, and prints a line for each.
///
/// A first signal lets the migrations under way end, or takes back the file that they apply, and leaves the other databases alone.
///
/// - Throws: `CommandFailure`, also if a database is not up to date.
func runMigrations(_ settings: MigrateSettings) async throws {
    try settings.installation.printWarnings()
    let logger = Logger(label: "mortise.migrate") { _ in SwiftLogNoOpLogHandler() }
    let result = await Interrupt.cancelling { () async -> Result<MigrationEnd, any Error> in
        do {
            let end = try await Host.with(settings.installation, secretsFile: .never, logger: logger) { host in
                try await Reactor.with(name: "migrate") { reactor in
                    try await MigrationRun(settings, host, reactor, logger).perform()
                }
            }
            // A signal that came after the last database has interrupted nothing.
            return .success(Task.isCancelled && end != .complete ? .interrupted : end)
        } catch {
            return Task.isCancelled ? .success(.interrupted) : .failure(error)
        }
    }
    if let failure = try result.get().failure { throw failure }
}

/// One run of `mortise migrate`.
struct MigrationRun {
    private let settings: MigrateSettings
    private let host: Host
    private let reactor: Reactor
    private let logger: Logger

    init(_ settings: MigrateSettings, _ host: Host, _ reactor: Reactor, _ logger: Logger) {
        self.settings = settings
        self.host = host
        self.reactor = reactor
        self.logger = logger
    }

    /// Migrates or examines the databases.
    ///
    /// - Returns: The worst end among the databases. For a dry run and a status, `complete` means that every database was examined.
    func perform() async throws -> MigrationEnd {
        switch settings.action {
        case .apply: try await apply()
        case .dryRun, .status: try await examine()
        }
    }

    private func apply() async throws -> MigrationEnd {
        let secrets = host.secrets
        let owner = try host.configuration()
        try await Bootstrap.checkBefore(secrets, owner: owner, reactor: reactor, logger: logger)
        let canary = try await canary()
        // The servers set the password of the role when they start. They have it from the same file.
        let control = try await ControlDatabase.bootstrap(
            owner: owner,
            installation: .standard,
            credentials: ClusterCredentials(derivedFrom: secrets, installation: .standard),
            setsPassword: false,
            admit: { try await Bootstrap.recognize(secrets, $0) },
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        let files = control.migration.files.map { "\($0.line)/\($0.name)" }
        try print("control", files.isEmpty ? "up to date" : "migrated", files)
        let end = try await migrateClusters(control, isDryRun: false)
        guard settings.includesWorkspaces else {
            try leaveOutWorkspaces()
            return end
        }
        return max(end, try await migrateWorkspaces(control, canary: canary, isDryRun: false))
    }

    /// Returns the id of the workspace to begin with, before anything is changed.
    ///
    /// - Returns: The id, or `nil` if no workspace was named, or if there is no control database yet.
    /// - Throws: `CommandFailure` if the name means no workspace, or several.
    private func canary() async throws -> String? {
        guard let name = settings.canary else { return nil }
        let names: FleetNames?
        do {
            names = try await PostgresConnection.with(host.configuration(), reactor: reactor, logger: logger) {
                try await FleetNames.find($0)
            }
        } catch let error as PostgresError where error.sqlState == .undefinedDatabase {
            return nil
        }
        return try names?.id(of: name, fate: "Nothing was changed.")
    }

    private func examine() async throws -> MigrationEnd {
        let inspection = try await ControlDatabase.inspect(
            owner: try host.configuration(),
            installation: .standard,
            credentials: ClusterCredentials(derivedFrom: host.secrets, installation: .standard),
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        var end = try show(inspection.plans)
        guard let control = inspection.control else { return end }
        end = max(end, try await migrateClusters(control, isDryRun: true))
        guard settings.includesWorkspaces else {
            try leaveOutWorkspaces()
            return end
        }
        return max(end, try await migrateWorkspaces(control, canary: nil, isDryRun: true))
    }

    private func show(_ plans: [MigrationPlan]) throws -> MigrationEnd {
        var pending: [String] = []
        for plan in plans {
            if let fault = plan.fault {
                try print("control", "cannot be migrated: \(fault)", [])
                return .incomplete
            }
            pending += plan.pending.map { "\(plan.line)/\($0.name)" }
        }
        guard !plans.contains(where: \.isNewer) else {
            try print("control", NewerSchema.state, [], plans.flatMap { $0.applied + $0.missing })
            return .newer
        }
        try print("control", pending.isEmpty ? "up to date" : "pending", pending, plans.flatMap(\.applied))
        return .complete
    }

    /// Migrates or examines the database of leases and fences on every cluster.
    private func migrateClusters(_ control: ControlDatabase, isDryRun: Bool) async throws -> MigrationEnd {
        let report = try await control.migrateClusterDatabases(isDryRun: isDryRun)
        // The start has migrated the primary cluster's database.
        let migrated = control.clusterMigration.files
        for outcome in report.outcomes {
            let isPrimary = outcome.name == control.primary.name && !migrated.isEmpty
            let status = isPrimary ? .migrated(migrated) : outcome.status
            let state = outcome.isNewer ? NewerSchema.state : FleetText.state(status, words: outcome.words)
            try print("cluster \(outcome.name)", state, FleetText.files(status), outcome.applied)
        }
        if report.outcomes.contains(where: \.isNewer) { return .newer }
        return report.isSuccess ? .complete : .incomplete
    }

    private func migrateWorkspaces(
        _ control: ControlDatabase,
        canary found: String?,
        isDryRun: Bool
    ) async throws -> MigrationEnd {
        let options = FleetOptions(concurrency: settings.concurrency, isDryRun: isDryRun)
        let names = try await PostgresConnection.with(host.configuration(), reactor: reactor, logger: logger) {
            try await FleetNames.read($0)
        }
        var canary = found
        if canary == nil, let name = settings.canary {
            let fate = "The control database and the clusters were migrated, and no workspace was."
            canary = try names.id(of: name, fate: fate)
        }
        let form: Progress.Form = settings.printsJSON ? .none : Terminal.isError ? .bar : .lines
        let progress = Progress(noun: "workspace", total: names.count, form)
        let faults = OutputFaults()
        let report = try await withResource(Provisioner(control)) { provisioner in
            try await provisioner.migrateFleet(options, canary: canary.flatMap(UUIDv7.parse)) { event in
                guard case .finished(let outcome) = event else { return }
                progress.advance()
                guard settings.printsJSON else { return }
                do {
                    try print(outcome, names)
                } catch {
                    faults.note(error)
                }
            }
        } close: {
            await $0.shutdown()
        }
        progress.end()
        try faults.check()
        let isInterrupted = Task.isCancelled
        let rest = isInterrupted ? names.skipped(after: report.outcomes) : []
        try show(report.outcomes, rest: rest, names, canary)
        // A signal ends the reading of the list, too, which is no fault of the control database.
        if isInterrupted { return (report.outcomes + rest).allSatisfy(\.isSuccess) ? .complete : .incomplete }
        if let failure = report.listingFailure {
            let words = report.listingWords.map { [CommandFailure.quoting($0)] } ?? []
            let lines = ["could not all be listed: \(failure)"] + words
            try print("workspaces", lines.joined(separator: "\n"), [])
        }
        return report.isSuccess ? .complete : .incomplete
    }

    /// Says that the databases of workspaces were left out, which "up to date" could seem to include.
    private func leaveOutWorkspaces() throws {
        if settings.printsJSON { return }
        let (verb, flag) =
            switch settings.action {
            case .apply: ("migrated", "")
            case .dryRun: ("examined", " --dry-run")
            case .status: ("examined", " --status")
            }
        try Output.line("workspaces: not \(verb); `mortise migrate --workspaces\(flag)` includes their databases")
    }

    /// Prints the outcomes: all of them, or their numbers and those that are not up to date.
    ///
    /// As JSON, they were printed when they came.
    ///
    /// - Parameters:
    ///   - outcomes: The outcomes.
    ///   - rest: The outcomes of the workspaces that had no turn.
    ///   - names: The names of the workspaces.
    ///   - canary: The id of the workspace that comes first.
    /// - Throws: `CommandFailure` if the output cannot be written.
    private func show(
        _ outcomes: [FleetOutcome],
        rest: [FleetOutcome],
        _ names: FleetNames,
        _ canary: String?
    ) throws {
        if settings.printsJSON {
            for outcome in rest { try print(outcome, names) }
            return
        }
        let named = (outcomes + rest).map { (name: names.name($0.id, slug: $0.name), outcome: $0) }
            .sorted { ($0.outcome.id == canary ? 0 : 1, $0.name) < ($1.outcome.id == canary ? 0 : 1, $1.name) }
        if settings.showsAll {
            for (_, outcome) in named { try print(outcome, names) }
        } else {
            for line in FleetText(named).summary { try Output.line(line) }
        }
    }

    /// Prints a line for the database of a workspace.
    private func print(_ outcome: FleetOutcome, _ names: FleetNames) throws {
        let database = "workspace \(names.name(outcome.id, slug: outcome.name)) (\(outcome.id))"
        let state = FleetText.state(outcome.status, words: outcome.words)
        try print(database, state, FleetText.files(outcome.status), outcome.applied)
    }

    /// Prints a line for a database.
    ///
    /// With `--status`, prints its applied migrations and their times too.
    private func print(
        _ database: String,
        _ state: String,
        _ files: [String],
        _ applied: [AppliedMigration] = []
    ) throws {
        let shown = settings.action == .status ? applied : []
        if settings.printsJSON {
            var object: JSONObject = [
                "database": .string(database), "state": .string(state), "files": .array(files.map { .string($0) }),
            ]
            if settings.action == .status { object["applied"] = .array(shown.map(\.json)) }
            try Output.line(JSONValue.object(object).outputText)
        } else {
            let text =
                files.isEmpty ? "\(database): \(state)" : "\(database): \(state) \(files.joined(separator: ", "))"
            for (index, line) in text.printableLines.enumerated() { try Output.line(index == 0 ? line : "  \(line)") }
            for migration in shown {
                let time = DisplayText.second(rfc3339: migration.time)
                try Output.line("  \(migration.line)/\(migration.name)  \(time) UTC  by \(migration.version)")
            }
        }
    }
}

/// The faults of the output, which do not stop the work, and are thrown when it has ended.
private final class OutputFaults: Sendable {
    private let last = Locked<(any Error)?>(nil)

    func note(_ error: any Error) { last.withLock { $0 = error } }

    /// Throws the last fault, if there was one.
    func check() throws {
        if let error = last.withLock(\.self) { throw error }
    }
}

extension AppliedMigration {
    /// The time of the migration, as RFC 3339 in UTC.
    fileprivate var time: String {
        Timestamp(microsecondsSinceUnixEpoch: appliedAt.microsecondsSinceUnixEpoch).rfc3339
    }

    /// The migration for scripts.
    fileprivate var json: JSONValue {
        [
            "file": .string("\(line)/\(name)"), "applied_at": .string(time),
            "version": .string(version),
        ]
    }
}
