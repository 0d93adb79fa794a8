import FoundationEssentials
import Locks

/// A value of a `LeasedCache`, with its users.
final class LeasedEntry<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// The life of a value.
    enum Phase {
        /// The value can be lent.
        case open
        /// The value was removed from the set. Its last user closes it.
        case removed
        /// The value was closed, or its closer is about to.
        case closed
    }

    let key: Key
    let owner: UUID?
    let value: Value
    /// The number of users, the number of the last use, the phase, and `isOpening`.
    ///
    /// `isOpening` is true while the value counts as one of the openings that its owner may have at the same time.
    let counts = Locked((users: 0, lastUse: UInt64(0), phase: Phase.open, isOpening: true))

    init(_ key: Key, _ owner: UUID?, _ value: Value) {
        self.key = key
        self.owner = owner
        self.value = value
    }

    /// True if the value can be lent and nobody uses it.
    var isIdle: Bool { counts.withLock { $0.users == 0 && $0.phase == .open } }

    /// Adds a user, unless the value is not lent any more.
    func acquire(_ use: UInt64) -> Bool {
        counts.withLock { counts in
            guard counts.phase == .open else { return false }
            counts.users += 1
            counts.lastUse = use
            return true
        }
    }

    /// Marks the value as closed if nobody uses it, and nobody has used it since a number of uses.
    func closeIfIdle(unusedSince mark: UInt64 = .max) -> Bool {
        counts.withLock { counts in
            guard counts.users == 0, counts.phase == .open, counts.lastUse <= mark else { return false }
            counts.phase = .closed
            return true
        }
    }

    /// Marks the value as opened.
    ///
    /// - Returns: False if it was marked before.
    func endOpening() -> Bool {
        counts.withLock { counts in
            defer { counts.isOpening = false }
            return counts.isOpening
        }
    }

    /// Marks a value that was removed from the set.
    ///
    /// - Returns: True if nobody uses the value, so that the caller closes it.
    func end() -> Bool {
        counts.withLock { counts in
            guard counts.phase == .open else { return false }
            counts.phase = counts.users == 0 ? .closed : .removed
            return counts.phase == .closed
        }
    }
}
