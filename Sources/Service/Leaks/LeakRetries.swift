import FoundationEssentials
import Keys
import Locks
import Logging
import Notices
import Postgres
import Tenancy

/// Repeats the reports of leaked tokens whose keys could not be handled before the answer, on this node.
///
/// Each node runs one. The control database has the leases by which nodes share the databases.
package final class LeakRetries: Sendable {
    /// The maximum number of databases at once, so that unreachable ones hold up no other.
    private static let concurrency = 4
    /// The time between two claims.
    private static let interval = Duration.seconds(1)
    /// The maximum time of an attempt, which is shorter than the lease.
    private static let deadline = Duration.seconds(15)
    /// The maximum pause after an attempt that failed.
    private static let longestPause = Duration.seconds(60)

    private struct State {
        var underWay: Set<WorkspaceRef> = []
        var waiting = 0
    }

    private let leaks: LeakService
    private let node = IdentifierSource.system.id()
    private let state = Locked(State())

    init(_ leaks: LeakService) {
        self.leaks = leaks
    }

    /// The number of reports of all nodes that wait, as this node last read it.
    package var waitingCount: Int { state.withLock { $0.waiting } }

    /// Repeats reports until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for database in await claim() {
                    group.addTask { [self] in
                        await attempt(database)
                        state.withLock { _ = $0.underWay.remove(database.ref) }
                    }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Leases databases whose reports are due.
    private func claim() async -> [PendingLeaks.Database] {
        let underWay = state.withLock { $0.underWay }
        let rest = Self.concurrency - underWay.count
        do {
            return try await leaks.context.databases.control.pool.withConnection { connection in
                let pending = PendingLeaks(connection)
                let count = try await pending.count()
                state.withLock { $0.waiting = count }
                if count == 0 || rest <= 0 { return [] }
                let databases = try await pending.claim(by: node, except: underWay, limit: rest)
                state.withLock { $0.underWay.formUnion(databases.map(\.ref)) }
                return databases
            }
        } catch {
            if !Task.isCancelled {
                leaks.context.logger.debug(
                    "the reports of leaked tokens that wait could not be claimed",
                    metadata: ["error": "\(error)"]
                )
            }
            return []
        }
    }

    /// The outcomes of an attempt.
    private struct Attempt: Sendable {
        /// The reports whose keys have been handled, or are gone.
        var done: [UUID] = []
        /// The number of keys among them that have been handled.
        var keys = 0
        var failed: [UUID] = []
    }

    /// Repeats reports of a database, and ends its lease.
    private func attempt(_ database: PendingLeaks.Database) async {
        do {
            let attempt = try await PostgresDeadline.with(Self.deadline) { try await deal(with: database) }
            // Of a database that is slow, but not away, some reports are done in each attempt.
            let failures = attempt.failed.isEmpty ? 0 : attempt.done.isEmpty ? database.failureCount + 1 : 1
            try await leaks.context.databases.control.pool.withConnection {
                try await PendingLeaks($0)
                    .finish(
                        database,
                        by: node,
                        done: attempt.done,
                        failed: attempt.failed,
                        failures: failures,
                        pause: Self.pause(after: failures)
                    )
            }
            if attempt.keys > 0 {
                leaks.context.logger.notice(
                    "keys of leaked tokens have been handled after the answer to the report",
                    metadata: ["workspace_ref": "\(database.ref)", "count": "\(attempt.keys)"]
                )
            }
        } catch {
            if Task.isCancelled { return }
            log(error, of: database)
        }
    }

    private func deal(with database: PendingLeaks.Database) async throws -> Attempt {
        let entries = try await leaks.context.databases.control.pool.withConnection {
            try await PendingLeaks($0).entries(of: database.ref)
        }
        var attempt = Attempt()
        for entry in entries {
            let outcome = await leaks.deal(with: entry.leak)
            try Task.checkCancellation()
            switch outcome {
            case .unknown: attempt.done.append(entry.id)
            case .done:
                attempt.done.append(entry.id)
                attempt.keys += 1
            case .failed(let error), .unread(let error):
                attempt.failed.append(entry.id)
                log(error, of: database)
            }
            if outcome.isOfDatabase { break }
        }
        return attempt
    }

    /// Logs the cause of an attempt that failed.
    ///
    /// The error was in the log when the report was kept.
    private func log(_ error: any Error, of database: PendingLeaks.Database) {
        leaks.context.logger.debug(
            "a leaked token could not be handled again",
            metadata: ["workspace_ref": "\(database.ref)", "error": "\(error)"]
        )
    }

    /// Returns the pause after a number of failures in a row.
    private static func pause(after failures: Int) -> Duration {
        guard failures > 0 else { return .zero }
        return failures > 6 ? longestPause : .seconds(1 << (failures - 1))
    }
}
