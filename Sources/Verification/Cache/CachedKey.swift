import Fence
import KeyStore
import Keys
import Synchronization

/// A key in memory, with the proof under which a verification can use it without a read.
final class CachedKey: Sendable {
    /// The digest of the token under the current pepper.
    let digest: Digest
    /// The key as it was read.
    let key: FoundKey
    /// The state of the fences to which the key belongs.
    let stamp: Stamp
    /// The moment before the read was written.
    ///
    /// The database's time of the read is later, so time that is carried forward from here is never behind the database's.
    let readAt: Moment
    /// The estimated size, in bytes.
    let byteCount: Int
    /// The number of uses since the key was last considered for eviction, at most 3.
    private let uses = Atomic<UInt8>(0)

    init(digest: Digest, key: FoundKey, stamp: Stamp, readAt: Moment) {
        self.digest = digest
        self.key = key
        self.stamp = stamp
        self.readAt = readAt
        byteCount = Self.baseBytes + key.variableBytes
    }

    /// The size of a key without texts, and of its places in the cache.
    private static let baseBytes = 900

    private static let maximumUses: UInt8 = 3

    /// Notes a use.
    ///
    /// Two threads can count one use for two: the number only orders evictions.
    func use() {
        let count = uses.load(ordering: .relaxed)
        if count < Self.maximumUses { uses.store(count + 1, ordering: .relaxed) }
    }

    /// True if the key was used more than once since it was inserted.
    var isReused: Bool { uses.load(ordering: .relaxed) > 1 }

    /// Takes one use away.
    ///
    /// - Returns: False if there was none.
    func takeUse() -> Bool {
        let count = uses.load(ordering: .relaxed)
        guard count > 0 else { return false }
        uses.store(count - 1, ordering: .relaxed)
        return true
    }
}

extension FoundKey {
    /// The estimated bytes of the texts and lists of the key, and of its rendering.
    ///
    /// A surface renders a key after it was stored, and a tenant decides how large all of this is.
    fileprivate var variableBytes: Int {
        let (scopes, namespaces) = (state.scopes.texts, state.namespaces.allowed ?? [])
        let rendered = name.utf8.count + (subject?.utf8.count ?? 0) + scopes.reduce(0) { $0 + 1 + $1.utf8.count }
        return metadata.utf8.count + 48 * state.addressRanges.count + 32 * (scopes.count + namespaces.count)
            + namespaces.reduce(0) { $0 + $1.utf8.count } + (1 + KeyRendering.factor) * rendered
    }
}
