import Keys
import Locks

/// The keys that this node has in memory, by the digests of their tokens.
///
/// The number of bytes is bounded. Keys are divided among many locks, so verifications of different keys seldom wait for each other. An
/// entry says nothing about whether it still counts: its stamp does.
final class KeyCache: Sendable {
    /// A part of the keys with a lock of its own.
    ///
    /// A class, because an array cannot hold a `Locked`.
    private final class Shard: Sendable {
        let keys: Locked<KeyCacheShard>

        init(maximumBytes: Int) { keys = Locked(KeyCacheShard(maximumBytes: maximumBytes)) }
    }

    private static let shardCount = 64

    private let shards: [Shard]

    /// Creates an empty cache.
    ///
    /// - Parameter maximumBytes: The maximum size, in estimated bytes.
    init(maximumBytes: Int) {
        shards = (0..<Self.shardCount).map { _ in Shard(maximumBytes: maximumBytes / Self.shardCount) }
    }

    /// Returns the key with a digest, and counts a use.
    subscript(digest: Digest) -> CachedKey? {
        guard let key = shard(of: digest).keys.withLock({ $0[digest] }) else { return nil }
        key.use()
        return key
    }

    /// Inserts a key, in place of an older entry of the same token.
    func insert(_ key: CachedKey) { shard(of: key.digest).keys.withLock { $0.insert(key) } }

    /// Removes all keys.
    func removeAll() {
        for shard in shards { shard.keys.withLock { $0 = KeyCacheShard(maximumBytes: $0.maximumBytes) } }
    }

    /// The number of keys, and their estimated bytes.
    var size: (keys: Int, bytes: Int) {
        shards.reduce(into: (0, 0)) { sum, shard in
            let size = shard.keys.withLock { ($0.count, $0.byteCount) }
            sum = (sum.0 + size.0, sum.1 + size.1)
        }
    }

    /// Digests are as good as random, and nobody without the pepper can choose them.
    private func shard(of digest: Digest) -> Shard { shards[Int(digest.firstWord >> 58)] }
}
