public import FoundationEssentials
public import Keys

/// A key's position in a list that is ordered by creation time and id, newest first.
///
/// A position is stable under inserts, because creation times do not change.
public struct KeyCursor: Sendable, Hashable {
    /// The key's creation time.
    public let createdAt: Timestamp
    /// The key's id, which orders keys of the same time.
    public let id: UUID

    /// Creates a cursor.
    public init(createdAt: Timestamp, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// The position before every key: no key is created later, and no id is greater.
    static let newest = KeyCursor(
        createdAt: .latest,
        id: UUID(uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
    )
}

/// The part of a list of keys that a call reads.
public enum KeyPosition: Sendable, Hashable {
    /// The newest keys, without the first `offset`.
    case newest(offset: Int)
    /// The keys that are older than the cursor.
    case after(KeyCursor)
    /// The keys that are newer than the cursor, those nearest to it.
    case before(KeyCursor)
}
