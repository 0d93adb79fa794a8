import FoundationEssentials
import Keys
import Locks
import Postgres

/// Records the attempts of this node in batches.
///
/// The attempts that end during a short pause, or while a batch is written, are the next batch. So a transaction is shared by the more
/// attempts, the more there are. One batch is written at a time. The number of attempts that wait is bounded, because each keeps its slot
/// until its record. An attempt of a webhook that somebody else changes at the moment waits for a later batch, and holds up no other.
final class OutcomeRecorder: Sendable {
    /// The maximum number of attempts in a batch.
    static let batch = 128
    /// The pause before a batch that is not full.
    static let pause = Duration.milliseconds(10)
    /// The maximum time of writing a batch, and of waiting for a webhook that is locked.
    ///
    /// Attempts without a record are made again when their leases end.
    static let limit = Duration.seconds(5)

    private struct Waiting: Sendable {
        let ended: EndedAttempt
        let continuation: CheckedContinuation<Timestamp?, any Error>
        /// The end of the wait for a webhook that was locked; `nil` if it was not.
        var end: ContinuousClock.Instant?
    }

    private struct State {
        var waiting: [Waiting] = []
        var isWriting = false
    }

    private let state = Locked(State())
    private let gather: @Sendable () async -> Void
    private let store: @Sendable ([EndedAttempt]) async throws -> RecordedAttempts

    /// Creates a recorder.
    ///
    /// - Parameters:
    ///   - gather: Waits for more attempts, before a batch that is not full. Defaults to a pause.
    ///   - store: Writes a batch, and returns the webhooks that fail and those of which nothing could be recorded yet.
    init(
        gather: @escaping @Sendable () async -> Void = { try? await Task.sleep(for: OutcomeRecorder.pause) },
        store: @escaping @Sendable ([EndedAttempt]) async throws -> RecordedAttempts
    ) {
        self.gather = gather
        self.store = store
    }

    /// The number of attempts that wait for their batch.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// True if an attempt of a locked webhook waits.
    private var hasPostponed: Bool { state.withLock { $0.waiting.contains { $0.end != nil } } }

    /// Records an attempt and ends its lease.
    ///
    /// The wait does not end with the task: a node that stops records what it has sent, because another node would send it again.
    ///
    /// - Parameter ended: The attempt.
    /// - Returns: The time since which the webhook has had nothing but failures; `nil` if an attempt succeeded.
    /// - Throws: The database's errors.
    func record(_ ended: EndedAttempt) async throws -> Timestamp? {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(Waiting(ended: ended, continuation: continuation))
                if state.isWriting { return false }
                state.isWriting = true
                return true
            }
            if isFirst { Task { await writeAll() } }
        }
    }

    /// Writes batches until nothing waits.
    private func writeAll() async {
        while true {
            if hasPostponed || waitingCount < Self.batch { await gather() }
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.batch))
                state.waiting.removeFirst(batch.count)
                if batch.isEmpty { state.isWriting = false }
                return batch
            }
            if batch.isEmpty { return }
            await PostgresDeadline.with(Self.limit) { await write(batch) }
        }
    }

    private func write(_ batch: [Waiting], isRepeated: Bool = false) async {
        do {
            let recorded = try await store(batch.map(\.ended))
            for waiting in batch {
                let webhook = waiting.ended.attempt.webhook.id
                if recorded.busy.contains(webhook) {
                    postpone(waiting)
                } else {
                    waiting.continuation.resume(returning: recorded.failing[webhook])
                }
            }
        } catch let error as PostgresError where error.leavesOutcomeOpen && !isRepeated {
            // The batch may have been recorded. A repetition records no attempt a second time.
            await write(batch, isRepeated: true)
        } catch let error as PostgresError where error.code == .server && batch.count > 1 {
            // A row that the server refuses must not take the records of the others with it.
            await write(Array(batch[..<(batch.count / 2)]), isRepeated: isRepeated)
            await write(Array(batch[(batch.count / 2)...]), isRepeated: isRepeated)
        } catch {
            for waiting in batch { waiting.continuation.resume(throwing: error) }
        }
    }

    /// Puts an attempt of a locked webhook behind the others, or gives it up at its end.
    ///
    /// The pause before the next batch keeps the repetitions apart.
    private func postpone(_ waiting: Waiting) {
        let now = ContinuousClock.now
        var waiting = waiting
        let end = waiting.end ?? now + Self.limit
        guard now < end else {
            let error = PostgresError(.deadlineExceeded, "the webhook was locked for too long")
            return waiting.continuation.resume(throwing: error)
        }
        waiting.end = end
        let postponed = waiting
        state.withLock { $0.waiting.append(postponed) }
    }
}

extension PostgresError {
    /// True if the statement may have been committed although its answer did not come.
    fileprivate var leavesOutcomeOpen: Bool { code == .connectionLost || code == .commitOutcomeUnknown }
}
