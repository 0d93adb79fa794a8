public import FoundationEssentials
public import Keys

/// A question for a page of keys that a person looks through: filters, an order, and the position.
///
/// A filter that is `nil` does not filter.
public struct KeyBrowse: Sendable {
    /// The value that the keys are ordered by.
    public enum Order: String, Sendable, CaseIterable {
        /// The name, without regard to case.
        case name
        /// The time of creation.
        case created
        /// The end of the key, by expiry or grace period. Keys without an end come last.
        case ends
        /// The last use. Keys that were never used count as the oldest.
        case used
    }

    /// The time without a use that a key must have.
    public enum Unused: Sendable, Hashable {
        /// The key was never used.
        case ever
        /// The key was created before an instant and not used since.
        case since(Timestamp)
    }

    /// The position after an item of a page, in the order of the question.
    public struct Cursor: Sendable, Hashable {
        /// The value that the item is ordered by: a text, or microseconds since 1970.
        public enum Value: Sendable, Hashable {
            case text(String)
            case time(Timestamp)
        }

        /// The value that the item is ordered by.
        public let value: Value
        /// The item's id, which orders keys with the same value.
        public let id: UUID

        /// Creates a cursor.
        public init(value: Value, id: UUID) {
            self.value = value
            self.id = id
        }
    }

    /// A part of the name or the description in any case, or the beginning of a token.
    public var query: String?
    /// The status at the time of the query.
    public var status: KeyStatus?
    /// The kind.
    public var kind: KeyKind?
    /// The mode.
    public var mode: KeyMode?
    /// The creator of a service or admin key, or the subject of a client key.
    public var owner: String?
    /// The instant before which the key ends.
    ///
    /// The key has an end and works now.
    public var endsBefore: Timestamp?
    /// The time without a use.
    public var unused: Unused?
    /// The order.
    public var order: Order
    /// True for the smallest value first.
    public var isAscending: Bool
    /// The position; `nil` is the beginning.
    public var cursor: Cursor?

    /// Creates a question without filters, newest first.
    public init(order: Order = .created, isAscending: Bool = false) {
        self.order = order
        self.isAscending = isAscending
    }
}

/// A page of keys that a person looks through.
public struct KeyBrowsePage: Sendable {
    /// The keys.
    public let keys: [KeyRecord]
    /// The position after the last key, or `nil` if no key follows.
    public let next: KeyBrowse.Cursor?

    /// Creates a page.
    public init(keys: [KeyRecord], next: KeyBrowse.Cursor?) {
        self.keys = keys
        self.next = next
    }
}
