public import Postgres

/// A migrator applies migration lines to a database, each file once.
///
/// An advisory lock protects a database during its migration. Of two programs that start at once, the second finds all files applied. After
/// a crash between two files, run the migrator again.
public struct Migrator: Sendable {
    /// The lines, in the order in which they are applied.
    public let lines: [MigrationLine]
    private let identifiers: [String: String]
    private let version: String
    private let options: MigratorOptions

    static let lock = AdvisoryLock("migrations")

    /// Creates a migrator.
    ///
    /// - Parameters:
    ///   - lines: The lines, in the order in which they are applied.
    ///   - identifiers: The unquoted identifiers for the placeholders `{{name}}` in the files, by name.
    ///   - version: The version of this program, for the ledger.
    ///   - options: The time limits.
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

    /// Compares the files with the ledger of a database.
    ///
    /// This takes no lock and changes nothing. A database without a ledger has no applied files.
    ///
    /// - Parameter connection: A connection to the database.
    /// - Returns: A plan for each line. A fault is part of the plan, and is not thrown.
    /// - Throws: `ledger` if the ledger cannot be read.
    public func plan(_ connection: PostgresConnection) async throws(MigrationError) -> [MigrationPlan] {
        do throws(PostgresError) {
            let ledger = try await Ledger.read(connection)
            return lines.map { MigrationPlan($0, ledger: ledger) }
        } catch {
            throw .ledger(error)
        }
    }

    /// Returns the plans for a database that does not exist yet.
    public func planForEmptyDatabase() -> [MigrationPlan] {
        lines.map { MigrationPlan($0, ledger: []) }
    }

    /// Applies the pending files to a database, in their order.
    ///
    /// A cancelled task ends the migration before the next file.
    ///
    /// - Parameters:
    ///   - connection: A connection with a session of its own, as the role that owns the schema. Its search path does not matter.
    ///   - dryRun: True to check for faults and to change nothing.
    ///   - onFile: Called before each file.
    /// - Returns: The files that were applied, or that would be applied.
    /// - Throws: The fault of a plan, before any change. `locked` if another session migrates the database. `fileFailed` if a file fails,
    ///   after which the files before it stay applied. `cancelled` if the task is cancelled.
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
        let plans = try await plan(connection)
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
        // Read again: the session that held the lock before can have applied files.
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

    /// Applies a file outside a transaction, without `lock_timeout`.
    ///
    /// A concurrent build waits for other transactions, and no other session waits for the build.
    private func runOutsideTransaction(_ scripts: [String], on connection: PostgresConnection) async throws {
        let deadline = options.fileDeadline
        let reset = "RESET lock_timeout; RESET statement_timeout"
        try await connection.script(
            "SET lock_timeout = 0; SET statement_timeout = \(deadline.timeoutMilliseconds)"
        )
        do {
            for script in scripts { try await connection.script(script, deadline: deadline) }
        } catch {
            // The error of the file is the one to report. A connection that cannot be reset must not be used again.
            do throws(PostgresError) { try await connection.script(reset) } catch { await connection.close() }
            throw error
        }
        try await connection.script(reset)
    }
}
