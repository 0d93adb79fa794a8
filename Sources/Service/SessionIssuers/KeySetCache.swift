import FoundationEssentials
import Locks
import Logging
import NIOPosix
import People

/// The key sets of session issuers, as this node last read them.
///
/// A set is read again when it is an hour old, or when a token names a key that the set lacks. The latter happens once
/// a minute at most, because anybody can write a key id into a token. Concurrent readers of one set share one read.
/// A token whose key is in the set does not wait for the read. While a set cannot be read, its keys are used for up to a day.
final class KeySetCache: Sendable {
    private static let freshFor = Duration.seconds(3600)
    private static let usableFor = Duration.seconds(86_400)
    private static let retryAfter = Duration.seconds(60)
    /// The pause after a failure without any known key, which is short because nobody can sign in meanwhile.
    private static let retryEmptyAfter = Duration.seconds(5)
    private static let capacity = 1024

    private struct Entry {
        var known: (set: KeySet, readAt: Duration)?
        var triedAt: Duration?
        var reading: Task<KeySet?, Never>?
    }

    private struct State {
        var entries: [UUID: Entry] = [:]
        /// Every read that has not ended, including those of removed issuers.
        var readings: [UInt64: Task<KeySet?, Never>] = [:]
        var nextReading: UInt64 = 0
        var isClosed = false
    }

    private let state = Locked(State())
    private let exchange: OutboundExchange
    private let elapsed: @Sendable () -> Duration
    private let logger: Logger

    init(exchange: @escaping OutboundExchange, elapsed: @escaping @Sendable () -> Duration, logger: Logger) {
        self.exchange = exchange
        self.elapsed = elapsed
        self.logger = logger
    }

    /// Returns the key set of an issuer, and reads it again if it is old or lacks a key.
    ///
    /// - Returns: A set, which can still lack the key.
    /// - Throws: `Refusal.unavailable` if there is no usable set and none can be read.
    func keys(of issuer: SessionIssuer, for keyID: String) async throws -> KeySet {
        let now = elapsed()
        let (known, reading) = state.withLock { state in
            if state.entries.count >= Self.capacity, state.entries[issuer.id] == nil { state.entries = [:] }
            var entry = state.entries[issuer.id] ?? Entry()
            let age = entry.known.map { now - $0.readAt }
            let usable = age.map { $0 < Self.usableFor } == true ? entry.known?.set : nil
            let isFresh = age.map { $0 < Self.freshFor } == true && usable?.contains(keyID) == true
            let pause = usable == nil ? Self.retryEmptyAfter : Self.retryAfter
            let mayTry = entry.triedAt.map { now - $0 >= pause } ?? true
            if !isFresh, entry.reading == nil, mayTry, !state.isClosed {
                entry.triedAt = now
                state.nextReading += 1
                let reading = Task { [id = state.nextReading] in await self.read(issuer, id) }
                state.readings[state.nextReading] = reading
                entry.reading = reading
            }
            state.entries[issuer.id] = entry
            return (usable, usable?.contains(keyID) == true ? nil : entry.reading)
        }
        if let reading, let read = await reading.value { return read }
        guard let known else { throw Refusal.unavailable }
        return known
    }

    /// Removes the set of an issuer that was removed.
    func remove(_ issuer: UUID) {
        state.withLock { $0.entries[issuer] = nil }
    }

    /// Cancels every read and waits for its end.
    ///
    /// No new read begins.
    func shutdown() async {
        let readings = state.withLock { state in
            state.isClosed = true
            return state.readings.values
        }
        for reading in readings { reading.cancel() }
        for reading in readings { _ = await reading.value }
    }

    private func read(_ issuer: SessionIssuer, _ reading: UInt64) async -> KeySet? {
        var set: KeySet?
        do {
            set = KeySet(try await bytes(issuer.keys))
            if await set?.canVerify(issuer.algorithms) != true {
                warn(issuer, "it is no JSON Web Key Set with a key for one of the algorithms")
            }
        } catch {
            warn(issuer, "\(error)")
        }
        let now = elapsed()
        state.withLock { [set] state in
            state.readings[reading] = nil
            state.entries[issuer.id]?.reading = nil
            guard let set else { return }
            state.entries[issuer.id]?.known = (set, now)
        }
        return set
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
