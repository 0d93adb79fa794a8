import FoundationEssentials
import Locks
import Postgres

/// The databases in which sessions that do not belong to this installation block changes.
///
/// Of several changes that wait for one locked row, one waits for the row and the others for its connection. Only the first has a session
/// whose blockers can be seen, so what it finds explains the end of each.
final class ForeignLocks: Sendable {
    /// The maximum number of remembered databases.
    ///
    /// Beyond it, all are dropped.
    private static let capacity = 10_000

    /// The last sight of a blocking session, by workspace, which is the root workspace for the control database.
    private let seen = Locked<[UUID: ContinuousClock.Instant]>([:])

    /// Notes that a session of somebody else blocks a change in a database.
    func note(in place: UUID) {
        seen.withLock { seen in
            if seen.count >= Self.capacity { seen = [:] }
            seen[place] = .now
        }
    }

    /// Runs a change of a database.
    ///
    /// - Parameters:
    ///   - place: The workspace; the root workspace for the control database.
    ///   - change: The change, with the wait for its connection.
    /// - Returns: The value that `change` returned.
    /// - Throws: The error of `change`, or `blocked` instead of the end of its time if a session of somebody else blocked changes of the
    ///   database meanwhile.
    func explaining<T>(_ place: UUID, _ change: () async throws -> T) async throws -> T {
        let begin = ContinuousClock.now
        do {
            return try await change()
        } catch let error as PostgresError where error.isEndOfTime {
            guard let last = seen.withLock({ $0[place] }), last >= begin else { throw error }
            throw TenancyError(
                .blocked,
                "a database session that does not belong to Mortise holds a lock; an operator can end it, and the log names it"
            )
        }
    }
}

extension PostgresError {
    /// True if a statement, or the wait for a connection, took too long.
    fileprivate var isEndOfTime: Bool {
        code == .deadlineExceeded || code == .poolTimedOut || sqlState == .lockNotAvailable
            || sqlState == .queryCanceled
    }
}
