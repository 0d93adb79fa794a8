import Postgres
import Synchronization
import TestSupport
import Testing

/// When a test kills a server that is under load.
struct Moment: Sendable, CustomStringConvertible {
    /// After so many answers.
    private var answers = 0
    /// When this query finds something.
    private var sight: String?
    /// What a transaction of the test holds meanwhile, so that the load gets no further than there.
    private(set) var hold: String?

    static func answers(_ count: Int) -> Moment {
        var moment = Moment()
        moment.answers = count
        return moment
    }

    static func sight(_ query: String) -> Moment {
        var moment = Moment()
        moment.sight = query
        return moment
    }

    /// When a statement of the load waits for what `statement` holds.
    static func blocked(by statement: String) -> Moment {
        var moment = Moment.sight(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        moment.hold = statement
        return moment
    }

    var description: String { hold ?? sight ?? "\(answers) answers" }

    fileprivate func hasCome(_ tally: Tally, _ installation: ProcessInstallation, _ database: String) async throws
        -> Bool
    {
        guard let sight else { return tally.count >= answers }
        return try await installation.finds(sight, in: database)
    }
}

/// Counts the answers of a load.
final class Tally: Sendable {
    private let answers = Mutex(0)

    var count: Int { answers.withLock { $0 } }

    func add() { answers.withLock { $0 += 1 } }
}

/// A moment did not come, and what was going on instead.
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

    /// Starts a server, runs a load on it, and kills it with SIGKILL when the moment has come.
    ///
    /// - Parameters:
    ///   - moment: when.
    ///   - database: where the moment is looked for.
    ///   - workers: how many work at once.
    ///   - work: what each does until a request fails because nobody answers; it gets its number, the port and the tally.
    /// - Throws: what `work` throws, and `MomentMissed` when the moment does not come.
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
                        // Also when the moment never comes: the load would not end otherwise.
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
                // Only now, so that what the dead server's sessions still do is done after its death.
                if moment.hold != nil { try await holder.script("ROLLBACK") }
            }
        }
    }
}
