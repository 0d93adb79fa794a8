import Postgres

/// A migration of many databases with the same files.
///
/// The only state is the ledger of each database. To resume a migration that was stopped, run it again.
public struct FleetMigration: Sendable {
    /// The stages of a migration.
    private enum Stage {
        /// The next database that can be connected to is migrated alone.
        case canary
        /// Several databases are migrated at once.
        case rollout
        /// No further database is begun.
        case stopped
    }

    private let migrator: Migrator
    private let options: FleetOptions

    /// Creates a migration.
    ///
    /// - Parameters:
    ///   - migrator: The files, and the options for each database.
    ///   - options: The options for the fleet.
    public init(_ migrator: Migrator, options: FleetOptions = FleetOptions()) {
        self.migrator = migrator
        self.options = options
    }

    /// Migrates all databases: first one alone, the canary, and then the others, several at once.
    ///
    /// The failure of a database does not stop the others, unless the database is the canary or the options say so. Then the migrations
    /// under way are finished, and the databases that were not begun are skipped. Cancelling the task has the same effect.
    ///
    /// A canary that cannot be connected to proves nothing about the files, so the next database takes its place. A dry run has no canary.
    ///
    /// - Parameters:
    ///   - targets: The databases. They are taken one by one, so a list of ten thousand need not be in memory.
    ///   - observe: Called for each step, from several tasks.
    /// - Returns: The outcome of each database, and the reason if the list of databases ended early.
    public func run<Targets: AsyncSequence & Sendable>(
        _ targets: Targets,
        observe: @escaping @Sendable (FleetEvent) -> Void = { _ in }
    ) async -> FleetReport where Targets.Element == FleetTarget {
        var report = FleetReport()
        await withTaskGroup(of: FleetOutcome.self) { group in
            var stage = options.startsWithCanary && !options.isDryRun ? Stage.canary : .rollout
            var running = 0
            func take(_ outcome: FleetOutcome, isCanary: Bool = false) {
                report.outcomes.append(outcome)
                observe(.finished(outcome))
                if !outcome.isSuccess, isCanary || !options.continuesAfterFailure { stage = .stopped }
            }
            do {
                for try await target in targets {
                    if stage == .rollout, running == options.concurrency, !Task.isCancelled,
                        let outcome = await group.next()
                    {
                        running -= 1
                        take(outcome)
                    }
                    switch Task.isCancelled ? .stopped : stage {
                    case .stopped:
                        take(FleetOutcome(id: target.id, name: target.name, status: .skipped))
                    case .canary:
                        let outcome = await migrate(target, isCanary: true, observe)
                        if case .unreachable = outcome.status {
                            take(outcome)
                        } else {
                            stage = .rollout
                            take(outcome, isCanary: true)
                        }
                    case .rollout:
                        group.addTask { await migrate(target, isCanary: false, observe) }
                        running += 1
                    }
                }
            } catch {
                let fault = error as? PostgresError
                report.listingFailure = fault.map(String.init(describing:)) ?? "the list was interrupted"
                report.listingWords = fault?.wordsForOwner
            }
            for await outcome in group { take(outcome) }
        }
        return report
    }

    /// Migrates the databases of an array.
    ///
    /// - Parameters:
    ///   - targets: The databases.
    ///   - observe: Called for each step, from several tasks.
    /// - Returns: The outcome of each database.
    public func run(
        _ targets: [FleetTarget],
        observe: @escaping @Sendable (FleetEvent) -> Void = { _ in }
    ) async -> FleetReport {
        let stream = AsyncStream<FleetTarget> { continuation in
            for target in targets { continuation.yield(target) }
            continuation.finish()
        }
        return await run(stream, observe: observe)
    }

    private func migrate(
        _ target: FleetTarget,
        isCanary: Bool,
        _ observe: @Sendable (FleetEvent) -> Void
    ) async -> FleetOutcome {
        observe(.started(id: target.id, name: target.name, isCanary: isCanary))
        func outcome(
            _ status: FleetOutcome.Status,
            _ report: MigrationReport = .nothing,
            words: String? = nil
        ) -> FleetOutcome {
            FleetOutcome(
                id: target.id,
                name: target.name,
                status: status,
                applied: report.applied,
                isNewer: !report.newerLines.isEmpty,
                words: words
            )
        }
        let connection: PostgresConnection
        do {
            connection = try await target.connect()
        } catch {
            // The text of a PostgresError is safe to print. The text of other errors can hold anything.
            let fault = error as? PostgresError
            // The run was interrupted before anything was begun, which says nothing about the database.
            if fault?.code == .cancelled, Task.isCancelled { return outcome(.skipped) }
            let reason = fault.map(String.init(describing:)) ?? "no connection could be made"
            return outcome(.unreachable(reason), words: fault?.wordsForOwner)
        }
        return await withResource(connection) { connection in
            do throws(MigrationError) {
                let report = try await migrator.apply(connection, dryRun: options.isDryRun) { file in
                    observe(.applying(id: target.id, name: target.name, file))
                }
                let status: FleetOutcome.Status =
                    report.isEmpty ? .upToDate : report.isDryRun ? .pending(report.files) : .migrated(report.files)
                return outcome(status, report)
            } catch {
                return outcome(.failed(error.description), words: error.wordsForOwner)
            }
        } close: {
            await $0.close()
        }
    }
}
