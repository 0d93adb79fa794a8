import FoundationEssentials
import Logging
import NIOPosix
import Synchronization
import Tenancy

/// The key sets of session issuers, as this node last read them.
///
/// A set is read again when it is an hour old, or when a token names a key that is not in it: then once a minute at most, because anybody
/// can write a key id into a token. Readers of one set at the same time share one read. While a set cannot be read its keys are used for
/// up to a day.
final class KeySetCache: Sendable {
    /// Reads what a URL has, within a deadline and a bound of its own.
    typealias Fetch = @Sendable (_ url: String) async throws -> [UInt8]

    private static let freshFor = Duration.seconds(3600)
    private static let usableFor = Duration.seconds(86_400)
    private static let retryAfter = Duration.seconds(60)
    /// Without any key nobody can be let in; then it is worth trying again sooner.
    private static let retryEmptyAfter = Duration.seconds(5)
    private static let capacity = 1024

    private struct Entry {
        var set: KeySet?
        var readAt: Duration = .zero
        var triedAt: Duration?
        var reading: Task<KeySet?, Never>?
    }

    private let entries = Mutex([UUID: Entry]())
    private let fetch: Fetch
    private let elapsed: @Sendable () -> Duration
    private let logger: Logger

    init(fetch: @escaping Fetch, elapsed: @escaping @Sendable () -> Duration, logger: Logger) {
        self.fetch = fetch
        self.elapsed = elapsed
        self.logger = logger
    }

    /// The key set of an issuer, read again where it has to be.
    ///
    /// - Returns: a set, which need not have the key.
    /// - Throws: `Refusal.unavailable` where there is none and none can be had.
    func keys(of issuer: SessionIssuer, for keyID: String) async throws -> KeySet {
        let now = self.elapsed()
        let (known, reading) = self.entries.withLock { entries in
            if entries.count >= Self.capacity, entries[issuer.id] == nil { entries = [:] }
            var entry = entries[issuer.id] ?? Entry()
            let usable = entry.set.flatMap { now - entry.readAt < Self.usableFor ? $0 : nil }
            let isFresh = now - entry.readAt < Self.freshFor && usable?.contains(keyID) == true
            let pause = usable == nil ? Self.retryEmptyAfter : Self.retryAfter
            let mayTry = entry.triedAt.map { now - $0 >= pause } ?? true
            if !isFresh, entry.reading == nil, mayTry {
                entry.triedAt = now
                entry.reading = Task { await self.read(issuer) }
            }
            entries[issuer.id] = entry
            return (usable, isFresh ? nil : entry.reading)
        }
        if let reading, let read = await reading.value { return read }
        guard let known else { throw Refusal.unavailable }
        return known
    }

    /// Forgets a set whose issuer was removed.
    func forget(_ issuer: UUID) {
        self.entries.withLock { $0[issuer] = nil }
    }

    private func read(_ issuer: SessionIssuer) async -> KeySet? {
        var set: KeySet?
        do {
            set = KeySet(try await self.bytes(issuer.keys))
            if set == nil { self.warn(issuer, "it is no JSON Web Key Set with a key that can be used") }
        } catch {
            self.warn(issuer, "\(error)")
        }
        let now = self.elapsed()
        self.entries.withLock { [set] entries in
            entries[issuer.id]?.reading = nil
            guard let set else { return }
            entries[issuer.id]?.set = set
            entries[issuer.id]?.readAt = now
        }
        return set
    }

    private func bytes(_ source: SessionIssuer.KeySource) async throws -> [UInt8] {
        switch source {
        case .url(let url): return try await self.fetch(url)
        case .inline(let text): return Array(text.utf8)
        case .file(let path):
            return try await NIOThreadPool.singleton.runIfActive {
                guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
                    size <= KeySet.maximumBytes, let data = FileManager.default.contents(atPath: path)
                else { throw Unreadable() }
                return Array(data)
            }
        }
    }

    private func warn(_ issuer: SessionIssuer, _ reason: String) {
        self.logger.warning(
            "the keys of a session issuer cannot be read",
            metadata: ["issuer": "\(issuer.issuer)", "reason": "\(reason)"]
        )
    }

    private struct Unreadable: Error, CustomStringConvertible {
        var description: String { "the file cannot be read" }
    }
}
