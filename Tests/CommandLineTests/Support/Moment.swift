import Locks
import Postgres
import TestSupport
import Testing

/// The moment at which a test kills a server under load.
enum Moment: Sendable, CustomStringConvertible {
    /// The load has received this number of answers.
    case answers(Int)
    /// This query returns a row.
    case sight(String)
    /// A statement of the load waits for a lock that this statement, in a transaction of the test, holds.
    case blocked(by: String)

    var description: String {
        switch self {
        case .answers(let count): "\(count) answers"
        case .sight(let text), .blocked(by: let text): text
        }
    }

    /// The statement that a transaction of the test runs, if the moment needs one.
    fileprivate var hold: String? {
        if case .blocked(by: let statement) = self { statement } else { nil }
    }

    private static let lockWait =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    fileprivate func hasCome(_ tally: Tally, _ installation: ProcessInstallation, _ database: String) async throws
        -> Bool
    {
        switch self {
        case .answers(let count): tally.count >= count
        case .sight(let query): try await installation.finds(query, in: database)
        case .blocked: try await installation.finds(Self.lockWait, in: database)
        }
    }
}

/// Counts the answers of a load.
final class Tally: Sendable {
    private let answers = Locked(0)

    var count: Int { answers.withLock { $0 } }

    func add() { answers.withLock { $0 += 1 } }
}

/// The moment did not come.
///
/// The error shows the state of the server instead.
struct MomentMissed: Error, CustomStringConvertible {
    let what: String
    let answers: Int
    let sessions: [String]
    let log: String

    var description: String {
        "never seen: \(what)\n\(answers) answers; sessions:\n\(sessions.joined(separator: "\n"))\nlog:\n\(log.suffix(4000))"
    }
}

extension ProcessInstallation {
    private static let sessions = """
        SELECT concat_ws(' ', datname, usename, state, wait_event_type, wait_event, left(query, 120)) FROM pg_stat_activity
        WHERE datname IS NOT NULL AND pid <> pg_backend_pid()
        """

    /// Starts a server, runs a load on it, and kills the server with SIGKILL at the moment.
    ///
    /// - Parameters:
    ///   - moment: The moment of the kill.
    ///   - database: The database for the query of the moment.
    ///   - workers: The number of workers of the load.
    ///   - work: The work of one worker, until a request fails because the server is dead. It gets the number of the
    ///     worker, the port and the tally.
    /// - Throws: The error of `work`, or `MomentMissed` if the moment does not come.
    func crash(
        at moment: Moment,
        in database: String,
        workers: Int,
        _ work: @escaping @Sendable (_ worker: Int, _ port: Int, _ tally: Tally) async throws -> Void
    ) async throws {
        try await serve { program in
            let port = try await program.port()
            try await withConnection(database) { holder in
                if let hold = moment.hold { try await holder.script("BEGIN; \(hold)") }
                let tally = Tally()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<workers { group.addTask { try await work(worker, port, tally) } }
                    group.addTask {
                        // If the moment never comes, this ends the load.
                        defer { program.kill() }
                        do {
                            try await eventually("\(moment)", within: .seconds(60)) {
                                try await moment.hasCome(tally, self, database)
                            }
                        } catch let missed as NeverHappened {
                            throw MomentMissed(
                                what: missed.what,
                                answers: tally.count,
                                sessions: try await texts(Self.sessions, in: "postgres"),
                                log: program.log
                            )
                        }
                    }
                    try await group.waitForAll()
                }
                // The lock is released here, so sessions of the killed server continue after its end.
                if moment.hold != nil { try await holder.script("ROLLBACK") }
            }
        }
    }
}
