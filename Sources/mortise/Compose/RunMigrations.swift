import FoundationEssentials
import JSON
import Keys
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// Does what `mortise migrate` asks for, and prints a line for each database.
func runMigrations(_ settings: MigrateSettings) async throws {
    let logger = Logger(label: "mortise.migrate") { _ in SwiftLogNoOpLogHandler() }
    try settings.installation.printWarnings()
    let isOK: Bool
    do {
        let host = try await Host.prepare(
            settings.installation,
            makesSecrets: false,
            logger: logger
        )
        let reactor = try Reactor()
        let result: Result<Bool, any Error>
        do {
            result = .success(try await MigrationRun(settings, host, reactor, logger).perform())
        } catch {
            result = .failure(error)
        }
        await reactor.shutdown()
        await host.stop()
        isOK = try result.get()
    } catch {
        throw CommandFailure.composing(error)
    }
    guard isOK else {
        throw CommandFailure(
            .refused,
            "Not all databases are up to date.",
            details: ["Run it again: what is done stays done."]
        )
    }
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

    /// - Returns: whether every database is, or could be brought, up to date.
    func perform() async throws -> Bool {
        let owner = try host.configuration()
        let installation = Installation.standard
        let credentials = ClusterCredentials(derivedFrom: host.secrets, installation: installation)
        guard settings.action == .apply else {
            let findings = try await ControlDatabase.inspect(
                owner: owner,
                installation: installation,
                credentials: credentials,
                version: Version.current,
                reactor: reactor,
                logger: logger
            )
            let isFine = try show(findings.plans)
            guard settings.includesWorkspaces, let control = findings.control else { return isFine }
            return try await migrateWorkspaces(control, isDryRun: true) && isFine
        }
        let secrets = host.secrets
        try await Bootstrap.checkBefore(secrets, owner: owner, reactor: reactor, logger: logger)
        // The password of the role is the servers' affair: they have it from the same file, and set it when they start.
        let control = try await ControlDatabase.bootstrap(
            owner: owner,
            installation: installation,
            credentials: credentials,
            setsPassword: false,
            admit: { try await Bootstrap.recognize(secrets, $0) },
            version: Version.current,
            reactor: reactor,
            logger: logger
        )
        let files = control.migration.files.map { "\($0.line)/\($0.name)" }
        try print("control", files.isEmpty ? "up to date" : "migrated", files)
        guard settings.includesWorkspaces else { return true }
        return try await migrateWorkspaces(control, isDryRun: false)
    }

    private func show(_ plans: [MigrationPlan]) throws -> Bool {
        var pending: [String] = []
        for plan in plans {
            if let fault = plan.fault {
                try print("control", "cannot be migrated: \(fault)", [])
                return false
            }
            pending += plan.pending.map { "\(plan.line)/\($0.name)" }
        }
        try print("control", pending.isEmpty ? "up to date" : "pending", pending, plans.flatMap(\.applied))
        return true
    }

    private func migrateWorkspaces(_ control: ControlDatabase, isDryRun: Bool) async throws -> Bool {
        let provisioner = Provisioner(control)
        let options = FleetOptions(concurrency: settings.concurrency, isDryRun: isDryRun)
        let progress = Progress(isShown: Terminal.isError && !settings.printsJSON)
        let report: FleetReport
        do {
            report = try await provisioner.migrateFleet(options, canary: settings.canary) { event in
                if case .finished = event { progress.advance() }
            }
        } catch {
            await provisioner.shutdown()
            throw error
        }
        await provisioner.shutdown()
        progress.end()
        for outcome in report.outcomes {
            let (state, files) = Self.describe(outcome.status)
            try print("workspace \(outcome.name) (\(outcome.id))", state, files, outcome.applied)
        }
        if let failure = report.listingFailure {
            try print("workspaces", "could not all be listed: \(failure)", [])
        }
        return report.isSuccess
    }

    private static func describe(_ status: FleetOutcome.Status) -> (String, [String]) {
        func names(_ files: [MigrationReport.File]) -> [String] { files.map { "\($0.line)/\($0.name)" } }
        return switch status {
        case .migrated(let files): ("migrated", names(files))
        case .pending(let files): ("pending", names(files))
        case .upToDate: ("up to date", [])
        case .unreachable(let reason): ("cannot be reached: \(reason)", [])
        case .failed(let reason): ("failed: \(reason)", [])
        case .skipped: ("skipped", [])
        }
    }

    /// A line for a database; with --status also what it has seen, and when.
    private func print(
        _ database: String,
        _ state: String,
        _ files: [String],
        _ applied: [AppliedMigration] = []
    ) throws {
        let seen = settings.action == .status ? applied : []
        if settings.printsJSON {
            var object: JSONObject = [
                "database": .string(database), "state": .string(state), "files": .array(files.map { .string($0) }),
            ]
            if settings.action == .status { object["applied"] = .array(seen.map(\.json)) }
            try Output.line(JSONValue.object(object).text)
        } else {
            try Output.line(
                files.isEmpty ? "\(database): \(state)" : "\(database): \(state) \(files.joined(separator: ", "))"
            )
            for migration in seen {
                try Output.line("  \(migration.line)/\(migration.name)  \(migration.time)  by \(migration.version)")
            }
        }
    }
}

extension AppliedMigration {
    /// When, as RFC 3339 in UTC.
    fileprivate var time: String {
        Timestamp(microsecondsSinceUnixEpoch: appliedAt.microsecondsSinceUnixEpoch).rfc3339
    }

    /// The row for scripts.
    fileprivate var json: JSONValue {
        [
            "file": .string("\(line)/\(name)"), "applied_at": .string(time),
            "version": .string(version),
        ]
    }
}
