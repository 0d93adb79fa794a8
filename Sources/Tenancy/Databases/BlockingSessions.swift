import FoundationEssentials
import Locks
import Postgres

/// The databases in which other sessions block changes.
///
/// Of several changes that wait for one locked row, one waits for the row and the others for its connection. Only the first has a session
/// whose blockers can be seen, so what it finds explains the end of each.
final class BlockingSessions: Sendable {
    /// The owner of a session.
    enum Holder: Sendable, Hashable {
        /// A node of this installation, such as one that is paused in the middle of a change.
        case installation
        /// Somebody who works in the database by hand, or another program.
        case somebodyElse

        /// The error of a change that waited until its time was over.
        fileprivate var error: TenancyError {
            switch self {
            case .installation: TenancyError(.busy, "another change of the same resource holds a lock")
            case .somebodyElse:
                TenancyError(
                    .blocked,
                    "a database session that does not belong to Mortise holds a lock; an operator can end it, and the log names it"
                )
            }
        }
    }

    private struct Sight: Hashable {
        let holder: Holder
        let place: UUID
    }

    /// The maximum number of remembered sights.
    ///
    /// Beyond it, all are dropped.
    private static let capacity = 10_000

    /// The last sight of a blocking session, by workspace, which is the root workspace for the control database.
    private let seen = Locked<[Sight: ContinuousClock.Instant]>([:])

    /// Notes that a session blocks a change in a database.
    func note(_ holder: Holder, in place: UUID) {
        seen.withLock { seen in
            if seen.count >= Self.capacity { seen = [:] }
            seen[Sight(holder: holder, place: place)] = .now
        }
    }

    /// Runs a use of a database.
    ///
    /// Only a stop is told of sessions of the installation: others wait for each other all the time, and know that by the state of the pool.
    ///
    /// - Parameters:
    ///   - place: The workspace; the root workspace for the control database.
    ///   - work: The kind of the use.
    ///   - body: The use, with the wait for its connection.
    /// - Returns: The value that `body` returned.
    /// - Throws: The error of `body`; or `blocked`, or `busy` for a stop, instead of the end of its time if another session blocked changes of
    ///   the database meanwhile.
    func explaining<T>(
        _ place: UUID,
        for work: Unblocker.Work,
        _ body: () async throws -> T
    ) async throws -> T {
        let begin = ContinuousClock.now
        do {
            return try await body()
        } catch {
            let cause = (error as? UnusableDatabase)?.cause ?? error as? PostgresError
            guard cause?.isEndOfTime == true else { throw error }
            let holders: [Holder] = work == .stop ? [.somebodyElse, .installation] : [.somebodyElse]
            let holder = seen.withLock { seen in
                holders.first { seen[Sight(holder: $0, place: place)].map { $0 >= begin } ?? false }
            }
            throw holder?.error ?? error
        }
    }
}

extension PostgresError {
    /// True if a statement, or the wait for a connection, took too long.
    var isEndOfTime: Bool {
        code == .deadlineExceeded || code == .poolTimedOut || sqlState == .lockNotAvailable
            || sqlState == .queryCanceled
    }
}
