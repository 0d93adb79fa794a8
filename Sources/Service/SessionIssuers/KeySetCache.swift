import FoundationEssentials
import Locks
import Logging
import NIOPosix
import People

/// The key sets of session issuers, as this node last read them.
///
/// A set is read again when it is an hour old, or when a token names a key that the set lacks. The latter happens once a minute at most,
/// because anybody can write a key id into a token. A token whose key is in the set does not wait for the read (``RefreshedValue``).
final class KeySetCache: Sendable {
    /// The number of sets at which the cache is emptied.
    static let capacity = 1024

    private struct State {
        var sets: [UUID: RefreshedValue<KeySet>] = [:]
        /// Sets that the cache no longer has, and whose reads have not ended.
        var leaving: [RefreshedValue<KeySet>] = []
        var isClosed = false

        /// Keeps the reads of sets that the cache gives up: callers wait for them, and the end of the cache ends them.
        mutating func giveUp(_ sets: some Sequence<RefreshedValue<KeySet>>) {
            leaving = (leaving + sets).filter(\.isReading)
        }
    }

    private let state = Locked(State())
    private let reader: KeySetReader
    private let elapsed: @Sendable () -> Duration

    init(exchange: @escaping OutboundExchange, elapsed: @escaping @Sendable () -> Duration, logger: Logger) {
        reader = KeySetReader(exchange: exchange, logger: logger)
        self.elapsed = elapsed
    }

    /// Returns the key set of an issuer, and reads it again if it is old or lacks a key.
    ///
    /// - Returns: A set, which can still lack the key.
    /// - Throws: `Refusal.unavailable` if there is no usable set and none can be read.
    func keys(of issuer: SessionIssuer, for keyID: String) async throws(Refusal) -> KeySet {
        // A read begins under the lock, so that no set is given up between this look-up and its read.
        let access = state.withLock { state -> RefreshedValue<KeySet>.Access? in
            if let set = state.sets[issuer.id] { return set.access { $0.contains(keyID) } }
            guard !state.isClosed else { return nil }
            if state.sets.count >= Self.capacity {
                state.giveUp(state.sets.values)
                state.sets = [:]
            }
            let set = RefreshedValue<KeySet>(elapsed: elapsed) { [reader] in await reader.read(issuer) }
            state.sets[issuer.id] = set
            return set.access { $0.contains(keyID) }
        }
        guard let access else { throw .unavailable }
        return try await access.value()
    }

    /// Removes the set of an issuer that was removed.
    func remove(_ issuer: UUID) {
        state.withLock { state in
            guard let set = state.sets.removeValue(forKey: issuer) else { return }
            state.giveUp([set])
        }
    }

    /// Cancels every read and waits for its end.
    ///
    /// No new read begins.
    func shutdown() async {
        let sets = state.withLock { state in
            state.isClosed = true
            return state.leaving + state.sets.values
        }
        await withDiscardingTaskGroup { group in
            for set in sets { group.addTask { await set.shutdown() } }
        }
    }
}

/// Reads the key sets of session issuers from their places.
private struct KeySetReader: Sendable {
    let exchange: OutboundExchange
    let logger: Logger

    /// Returns the key set of an issuer, or `nil` for a failure, which is logged.
    func read(_ issuer: SessionIssuer) async -> KeySet? {
        do {
            let set = KeySet(try await bytes(issuer.keys))
            if await set?.canVerify(issuer.algorithms) != true {
                warn(issuer, "it is no JSON Web Key Set with a key for one of the algorithms")
            }
            return set
        } catch {
            warn(issuer, "\(error)")
            return nil
        }
    }

    private func bytes(_ source: SessionIssuer.KeySource) async throws -> [UInt8] {
        switch source {
        case .url(let url):
            let answer = try await exchange(OutboundRequest(url))
            guard answer.status == 200 else { throw NotOK(status: answer.status) }
            return answer.body
        case .inline(let text): return Array(text.utf8)
        case .file(let path):
            return try await NIOThreadPool.singleton.runIfActive {
                try RegularFile.read(path, limit: KeySet.maximumBytes)
            }
        }
    }

    private struct NotOK: Error, CustomStringConvertible {
        let status: UInt
        var description: String { "the answer has status \(status)" }
    }

    private func warn(_ issuer: SessionIssuer, _ reason: String) {
        logger.warning(
            "the keys of a session issuer cannot be read",
            metadata: ["issuer": "\(issuer.issuer)", "reason": "\(reason)"]
        )
    }
}
