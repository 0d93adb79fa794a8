import FoundationEssentials
import Locks
import Logging
import Postgres

/// Looks at the sessions that block a change, and ends those of the installation if the change must not wait.
///
/// A node can stop in the middle of a change: it is paused, or its network is gone. Its session then holds locks until a
/// time limit of the server ends it. A change that stops keys does not wait for that.
struct Unblocker: Sendable {
    /// The work that waits.
    enum Work: Sendable {
        /// A change that stops keys, for which blocking sessions of the installation are ended.
        case stop
        /// Another use of the database. Sessions of the installation end by themselves, and those of others explain its delay.
        case other
    }

    /// The server process whose waits are looked at.
    let process: Int32
    let work: Work
    /// The role whose sessions can be ended, besides those of the role that asks, if they have the same application name.
    let role: String
    /// The installation's owner, whose sessions are those of no stranger; empty if it is not known.
    let owner: String
    /// The time after which blockers are looked for, and the pause between two looks.
    ///
    /// After a session was ended, the next look follows in a quarter of that time: another one can have taken its place.
    let patience: Duration
    /// The workspace of the database, which is the root workspace for the control database.
    let place: UUID
    /// Receives the sight of a blocking session.
    let blockers: BlockingSessions
    let logger: Logger

    /// Executes a statement on another connection to the same server.
    typealias Asker = @Sendable (Statement, [any PostgresEncodable]) async throws -> Rows

    /// Ends the sessions at the heads of the queues in which the process waits, if `$3`.
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
            SELECT a.*, a.usename::text IN (current_user, $2) AND a.application_name = current_setting('application_name') AS is_own,
                a.usename::text = $4 AND a.application_name = current_setting('application_name') AS is_owner
            FROM blockers b JOIN pg_stat_activity a ON a.pid = b.pid
            WHERE a.pid <> $1 AND pg_blocking_pids(a.pid) = '{}')
        SELECT pid, usename::text, application_name, is_own OR is_owner,
            CASE WHEN $3 AND is_own AND wait_event IS DISTINCT FROM 'SyncRep' AND clock_timestamp() - state_change
                >= CASE state WHEN 'active' THEN interval '1 s' ELSE interval '0.2 s' END
            THEN pg_terminate_backend(pid) END
        FROM heads
        """,
        name: "end blockers"
    )

    /// Runs `body` while the sessions that block it are looked at.
    ///
    /// - Parameters:
    ///   - body: The work.
    ///   - ask: Asks the server over another connection.
    /// - Returns: The value that `body` returned.
    /// - Throws: The error of `body`.
    func run<T>(_ body: () async throws -> T, asking ask: @escaping Asker) async throws -> T {
        let watcher = Task {
            var logged: Set<Int32> = []
            var pause = patience
            while true {
                try await Task.sleep(for: pause)
                do {
                    pause = try await look(ask, &logged) ? patience / 4 : patience
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
        return try await body()
    }

    /// Notes the blockers, and ends those that can be ended.
    ///
    /// A session of somebody else is logged once.
    ///
    /// - Returns: True if a session was ended.
    private func look(_ ask: Asker, _ logged: inout Set<Int32>) async throws -> Bool {
        var hasEnded = false
        for row in try await ask(Self.end, [process, role, work == .stop, owner]) {
            let (other, role, application) = try row.decode((Int32, String?, String?).self)
            let (isOwn, isEnded) = (try row.decode(3, as: Bool?.self), try row.decode(4, as: Bool?.self))
            let metadata: Logger.Metadata = [
                "process": "\(other)", "role": "\(role ?? "")", "application": "\(application ?? "")",
            ]
            let holder: BlockingSessions.Holder = isOwn == true ? .installation : .somebodyElse
            blockers.note(holder, in: place)
            if isEnded == true {
                hasEnded = true
                logger.warning("a session that blocked a change was ended", metadata: metadata)
            } else if holder == .somebodyElse {
                guard logged.insert(other).inserted else { continue }
                logger.warning("a session of somebody else blocks a change", metadata: metadata)
            }
        }
        return hasEnded
    }
}
