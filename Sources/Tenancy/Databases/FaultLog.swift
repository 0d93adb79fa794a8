import FoundationEssentials
import Locks
import Logging
import Postgres
import Synchronization

/// Logs the faults of databases, each once when it begins and once when it is over.
final class FaultLog: Sendable {
    private let episodes = Locked(FaultEpisodes())
    private let openFlag = Atomic<Bool>(false)
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// True while a fault is under way.
    ///
    /// A success costs one look at this.
    var hasOpen: Bool { openFlag.load(ordering: .relaxed) }

    /// Counts a failure.
    ///
    /// - Parameters:
    ///   - fault: The fault.
    ///   - error: The error by which it was met.
    ///   - database: The name of the database in which it was met.
    ///   - isControl: True for the control database.
    ///   - isCovered: True if another line of the log at `error` has named the cause.
    func failed(
        _ fault: DatabaseFault,
        _ error: any Error,
        in database: String,
        isControl: Bool,
        isCovered: Bool
    ) {
        let now = ContinuousClock.now
        let unreported = episodes.withLock { episodes in
            let unreported = episodes.failed(fault, at: now)
            openFlag.store(episodes.openCount > 0, ordering: .relaxed)
            return unreported
        }
        guard let unreported else { return }
        var metadata: Logger.Metadata = ["database": "\(database)", "error": "\(error)"]
        if let reason = (error as? PostgresError)?.reasonOfRefusal { metadata["reason"] = "\(reason)" }
        if unreported > 0 { metadata["left_out_before"] = .stringConvertible(unreported) }
        logger.log(
            level: isCovered ? .warning : fault.kind.level,
            fault.kind.beginning(ofControl: isControl),
            metadata: metadata
        )
    }

    /// Counts a success, which shows that some faults are over.
    func worked(_ kinds: [DatabaseFault.Kind], at place: UUID, in database: String, isControl: Bool) {
        let now = ContinuousClock.now
        for kind in kinds {
            let past = episodes.withLock { episodes in
                let past = episodes.worked(DatabaseFault(kind, at: place), at: now)
                openFlag.store(episodes.openCount > 0, ordering: .relaxed)
                return past
            }
            guard let past else { continue }
            logger.notice(
                kind.end(ofControl: isControl),
                metadata: [
                    "database": "\(database)", "failures": .stringConvertible(past.failures),
                    "seconds": .stringConvertible(past.lasted / .seconds(1)),
                ]
            )
        }
    }

    /// Returns true if a fault of a kind is under way, by which something failed within a time.
    func isOpen(_ kind: DatabaseFault.Kind, within time: Duration) -> Bool {
        hasOpen && episodes.withLock { $0.isOpen(kind, within: time, at: .now) }
    }
}
