import DequeModule
import Keys

/// A part of the cache: S3-FIFO, with one queue for new keys, one for keys that were used again, and the digests of keys that left early.
///
/// A key that is used once passes through the small queue and evicts no key of the main one. So a client that cycles through a million
/// genuine tokens does not evict the keys in use. The policy is that of Yang et al., "FIFO queues are all you need for cache eviction"
/// (SOSP 2023).
struct KeyCacheShard {
    private struct Queue {
        private(set) var keys: Deque<CachedKey> = []
        private(set) var byteCount = 0

        mutating func append(_ key: CachedKey) {
            keys.append(key)
            byteCount += key.byteCount
        }

        mutating func popFirst() -> CachedKey? {
            guard let key = keys.popFirst() else { return nil }
            byteCount -= key.byteCount
            return key
        }
    }

    let maximumBytes: Int
    private var index: [Digest: CachedKey] = [:]
    private var new = Queue()
    private var main = Queue()
    /// The first words of the digests of keys that left the queue for new keys, oldest first.
    private var ghosts: Deque<UInt64> = []
    private var ghostIndex: Set<UInt64> = []

    /// The share of new keys: a tenth.
    private static let newShare = 10

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// The number of keys.
    var count: Int { index.count }

    /// The estimated bytes of the keys, with entries that were replaced and have not left yet.
    var byteCount: Int { new.byteCount + main.byteCount }

    /// Returns the key with a digest.
    subscript(digest: Digest) -> CachedKey? { index[digest] }

    /// Inserts a key, in place of an older entry of the same token.
    mutating func insert(_ key: CachedKey) {
        guard key.byteCount <= maximumBytes / Self.newShare else { return }
        let replaced = index.updateValue(key, forKey: key.digest)
        if replaced?.isReused ?? (ghostIndex.remove(key.digest.firstWord) != nil) {
            main.append(key)
        } else {
            new.append(key)
        }
        while byteCount > maximumBytes { evictOne() }
    }

    /// Removes an entry, or moves one.
    private mutating func evictOne() {
        if new.byteCount > maximumBytes / Self.newShare || main.keys.isEmpty { evictNew() } else { evictMain() }
    }

    private mutating func evictNew() {
        guard let key = new.popFirst(), index[key.digest] === key else { return }
        if key.isReused { return main.append(key) }
        index[key.digest] = nil
        addGhost(key.digest.firstWord)
    }

    private mutating func evictMain() {
        guard let key = main.popFirst(), index[key.digest] === key else { return }
        if key.takeUse() { main.append(key) } else { index[key.digest] = nil }
    }

    /// Remembers a key that left early, so that it counts as used again if it comes back soon.
    private mutating func addGhost(_ word: UInt64) {
        guard ghostIndex.insert(word).inserted else { return }
        ghosts.append(word)
        // As many as there are keys.
        while ghosts.count > max(index.count, 16), let oldest = ghosts.popFirst() { ghostIndex.remove(oldest) }
    }
}
