import LibPQ
import Synchronization

/// A reason to doubt that a commit is as safe as its answer says.
///
/// A session that waits for a synchronous standby ends that wait with *success* when anybody cancels it (`pg_cancel_backend`, Ctrl-C in
/// another program), and sends a warning: "the transaction has already committed locally, but might not have been replicated to the
/// standby" (PostgreSQL's source, `SyncRepWaitForLSN`). Without the warning, nothing tells such an answer from a safe one.
package enum CommitUncertainty: Int, Comparable {
    /// A warning without a more precise class (01000). Only a COMMIT is doubted for it.
    case warning = 1
    /// The warning of the cancelled wait. Whatever it belongs to has committed without its standby.
    case standbyMissing = 2

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The doubt that a notice casts on the commit beside which it arrives.
    init?(_ notice: ServerNotice) {
        guard notice.severity == "WARNING", notice.sqlState == "01000" else { return nil }
        self = notice.routine.hasPrefix("SyncRep") ? .standbyMissing : .warning
    }
}

/// The doubts that a connection's notices cast, until the next answer is received.
///
/// libpq delivers notices inside calls that hold the session's lock, so they are kept here.
final class CommitUncertainties: Sendable {
    private let strongest = Atomic<Int>(0)

    func note(_ notice: ServerNotice) {
        guard let doubt = CommitUncertainty(notice) else { return }
        strongest.max(doubt.rawValue, ordering: .relaxed)
    }

    /// Returns the strongest doubt since the last call.
    func take() -> CommitUncertainty? {
        guard strongest.load(ordering: .relaxed) != 0 else { return nil }
        return CommitUncertainty(rawValue: strongest.exchange(0, ordering: .relaxed))
    }
}
