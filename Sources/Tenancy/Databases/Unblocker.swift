import Locks
import Logging
import Postgres
import Synchronization

/// Ends the sessions of an installation that block a change which must not wait.
///
/// A node can stop in the middle of a change: it is paused, or its network is gone. Its session then holds locks until a
/// time limit of the server ends it. A change that stops keys does not wait for that.
struct Unblocker: Sendable {
    /// The server process whose waits are ended.
    let process: Int32
    /// The role whose sessions can be ended, besides those of the role that asks, if they have the same application name.
    let role: String
    /// The time after which blockers are looked for, and the pause between two looks.
    let patience: Duration
    let logger: Logger

    /// Executes a statement with the process and the role as parameters, on another connection to the same server.
    typealias Asker = @Sendable (Statement, _ process: Int32, _ role: String) async throws -> Rows

    /// Remembers if a session of somebody else was among the blockers, and which of them are in the log.
    private final class Foreign: Sendable {
        let isFound = Atomic<Bool>(false)
        let logged = Locked<Set<Int32>>([])
    }

    /// Ends the sessions at the heads of the queues in which the process waits.
    ///
    /// A session that waits itself is not ended: it goes on when its own blocker is gone. A session that waits for a
    /// synchronous standby has committed already, and ending it would help nobody, because every other commit has to wait
    /// too. A busy session gets a second, because it goes on by itself.
    private static let end = Statement(
        """
        WITH RECURSIVE blockers (pid) AS (
            SELECT unnest(pg_blocking_pids($1))
            UNION
            SELECT unnest(pg_blocking_pids(b.pid)) FROM blockers b),
        heads AS (
            SELECT a.*, a.usename::text IN (current_user, $2) AND a.application_name = current_setting('application_name') AS is_own
            FROM blockers b JOIN pg_stat_activity a ON a.pid = b.pid
            WHERE a.pid <> $1 AND pg_blocking_pids(a.pid) = '{}')
        SELECT pid, usename::text, application_name, is_own,
            CASE WHEN is_own AND wait_event IS DISTINCT FROM 'SyncRep' AND clock_timestamp() - state_change
                >= CASE state WHEN 'active' THEN interval '1 s' ELSE interval '0.2 s' END
            THEN pg_terminate_backend(pid) END
        FROM heads
        """,
        name: "end blockers"
    )

    /// Runs `body` while blockers are ended.
    ///
    /// - Parameters:
    ///   - body: The change.
    ///   - ask: Asks the server over another connection.
    /// - Returns: The value that `body` returned.
    /// - Throws: The error of `body`, or `blocked` instead of the end of its time if a session of somebody else blocked it.
    func run<T>(_ body: () async throws -> T, asking ask: @escaping Asker) async throws -> T {
        let foreign = Foreign()
        let watcher = Task {
            while true {
                try await Task.sleep(for: patience)
                do {
                    foreign.isFound.store(try await look(ask, foreign), ordering: .relaxed)
                } catch {
                    try Task.checkCancellation()
                    logger.debug(
                        "the sessions that block a change cannot be examined",
                        metadata: ["error": "\(error)"]
                    )
                }
            }
        }
        defer { watcher.cancel() }
        do {
            return try await body()
        } catch let error as PostgresError where error.isEndOfTime {
            guard foreign.isFound.load(ordering: .relaxed) else { throw error }
            throw TenancyError(
                .blocked,
                "a database session that does not belong to Mortise holds a lock; an operator can end it, and the log names it"
            )
        }
    }

    /// Ends the blockers that can be ended.
    ///
    /// - Returns: True if a session of somebody else is among the blockers.
    private func look(_ ask: Asker, _ foreign: Foreign) async throws -> Bool {
        var hasForeign = false
        for row in try await ask(Self.end, process, role) {
            let (other, role, application) = try row.decode((Int32, String?, String?).self)
            let (isOwn, isEnded) = (try row.decode(3, as: Bool?.self), try row.decode(4, as: Bool?.self))
            let metadata: Logger.Metadata = [
                "process": "\(other)", "role": "\(role ?? "")", "application": "\(application ?? "")",
            ]
            if isEnded == true {
                logger.warning("a session that blocked a change was ended", metadata: metadata)
            } else if isOwn != true {
                hasForeign = true
                guard foreign.logged.withLock({ $0.insert(other).inserted }) else { continue }
                logger.warning("a session of somebody else blocks a change", metadata: metadata)
            }
        }
        return hasForeign
    }
}

extension PostgresError {
    /// True if a statement waited too long.
    fileprivate var isEndOfTime: Bool {
        code == .deadlineExceeded || sqlState == .lockNotAvailable || sqlState == .queryCanceled
    }
}
