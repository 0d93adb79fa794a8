public import Postgres

/// Applies lines of SQL files to a database, each file once.
///
/// A database is locked while it is migrated, so two programs that start at once do not meet: the second finds nothing left to do. A
/// crash between two files is mended by running again.
public struct Migrator: Sendable {
    /// The lines, in the order in which they are applied.
    public let lines: [MigrationLine]
    private let identifiers: [String: String]
    private let version: String
    private let options: MigratorOptions

    static let lock = AdvisoryLock("migrations")

    /// Describes what is applied.
    ///
    /// - Parameters:
    ///   - lines: applied one after the other.
    ///   - identifiers: what stands in place of `{{name}}` in the files, unquoted, by name.
    ///   - version: this program's version, for the ledger.
    ///   - options: how patient to be.
    public init(
        lines: [MigrationLine],
        identifiers: [String: String] = [:],
        version: String,
        options: MigratorOptions = MigratorOptions()
    ) {
        self.lines = lines
        self.identifiers = identifiers
        self.version = version
        self.options = options
    }

    /// Compares the files with the ledger.
    ///
    /// Takes no lock and changes nothing; a database without a ledger has seen nothing.
    ///
    /// - Throws: `ledger` when it cannot be read. A fault that a plan shows is not thrown here.
    public func plan(_ connection: PostgresConnection) async throws(MigrationError) -> [MigrationPlan] {
        do throws(PostgresError) {
            let ledger = try await Ledger.read(connection)
            return lines.map { MigrationPlan($0, ledger: ledger) }
        } catch {
            throw .ledger(error)
        }
    }

    /// What would be applied to a database that does not exist yet.
    public func planForEmptyDatabase() -> [MigrationPlan] {
        lines.map { MigrationPlan($0, ledger: []) }
    }

    /// Applies what is pending, in order.
    ///
    /// - Parameters:
    ///   - connection: a session of its own as the role that owns the schema; its search path is not relied on.
    ///   - dryRun: look, check for faults, and change nothing.
    ///   - onFile: called before each file.
    /// - Returns: the files that were applied, or would be.
    /// - Throws: a plan's fault before anything is changed; `locked`; `fileFailed`, with the files before it applied; `cancelled`.
    public func apply(
        _ connection: PostgresConnection,
        dryRun: Bool = false,
        onFile: (MigrationReport.File) -> Void = { _ in }
    ) async throws(MigrationError) -> MigrationReport {
        let plans = try await checkedPlan(connection)
        if dryRun || plans.allSatisfy(\.pending.isEmpty) {
            return Self.report(plans, isDryRun: dryRun)
        }
        do {
            return try await Self.lock.withLock(on: connection, patience: options.lockPatience) {
                try await applyLocked(connection, onFile: onFile)
            }
        } catch let error as MigrationError {
            throw error
        } catch let error as AdvisoryLock.Taken {
            throw .locked(error)
        } catch let error as PostgresError {
            throw .ledger(error)
        } catch {
            throw .cancelled
        }
    }

    private func checkedPlan(_ connection: PostgresConnection) async throws(MigrationError) -> [MigrationPlan] {
        let plans = try await self.plan(connection)
        for plan in plans {
            if let fault = plan.fault { throw fault }
        }
        return plans
    }

    private static func report(_ plans: [MigrationPlan], isDryRun: Bool) -> MigrationReport {
        var report = MigrationReport(isDryRun: isDryRun)
        report.newerLines = plans.filter(\.isNewer).map(\.line)
        report.applied = plans.flatMap { $0.applied + $0.missing }
        report.files = plans.flatMap { plan in plan.pending.map { MigrationReport.File(line: plan.line, name: $0.name) }
        }
        return report
    }

    private func applyLocked(
        _ connection: PostgresConnection,
        onFile: (MigrationReport.File) -> Void
    ) async throws -> MigrationReport {
        try await connection.script(Ledger.definition)
        // Read again: whoever held the lock before has written.
        let plans = try await checkedPlan(connection)
        for plan in plans {
            for file in plan.pending {
                guard !Task.isCancelled else { throw MigrationError.cancelled }
                onFile(MigrationReport.File(line: plan.line, name: file.name))
                do {
                    try await apply(file, line: plan.line, on: connection)
                } catch let error as PostgresError {
                    throw MigrationError.fileFailed(line: plan.line, file: file.name, error)
                }
            }
        }
        return Self.report(plans, isDryRun: false)
    }

    private func apply(_ file: MigrationFile, line: String, on connection: PostgresConnection) async throws {
        let scripts = try file.scripts(identifiers: identifiers)
        let deadline = options.fileDeadline
        let start = ContinuousClock.now
        guard file.runsInTransaction else {
            try await runOutsideTransaction(scripts, on: connection)
            try await Ledger.add(
                file,
                line: line,
                duration: ContinuousClock.now - start,
                version: version,
                on: connection
            )
            return
        }
        try await connection.transaction { connection in
            try await connection.script(
                """
                SET LOCAL lock_timeout = \(options.lockTimeout.timeoutMilliseconds);
                SET LOCAL statement_timeout = \(deadline.timeoutMilliseconds);
                SET LOCAL client_min_messages = warning
                """
            )
            for script in scripts { try await connection.script(script, deadline: deadline) }
            try await Ledger.add(
                file,
                line: line,
                duration: ContinuousClock.now - start,
                version: version,
                on: connection
            )
        }
    }

    /// No `lock_timeout`: what is built concurrently waits for other transactions without keeping anybody waiting itself.
    private func runOutsideTransaction(_ scripts: [String], on connection: PostgresConnection) async throws {
        let deadline = options.fileDeadline
        let reset = "RESET lock_timeout; RESET statement_timeout"
        try await connection.script(
            "SET lock_timeout = 0; SET statement_timeout = \(deadline.timeoutMilliseconds)"
        )
        do {
            for script in scripts { try await connection.script(script, deadline: deadline) }
        } catch {
            // The file's error is the one to report; a connection that cannot even be reset is of no use to anybody.
            do throws(PostgresError) { try await connection.script(reset) } catch { await connection.close() }
            throw error
        }
        try await connection.script(reset)
    }
}
