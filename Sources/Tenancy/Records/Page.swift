public import FoundationEssentials
public import Keys

/// A position in a list that is ordered by creation time and id, newest first.
public struct PageCursor: Sendable, Hashable {
    /// The creation time of the item at the position.
    public var createdAt: Timestamp
    /// The id of the item at the position.
    public var id: UUID

    /// Creates a cursor.
    public init(createdAt: Timestamp, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Parses a cursor's text, or returns `nil` for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0], radix: 36), let id = UUIDv7.parse(String(parts[1])),
            Self(microseconds, id).text == text
        else { return nil }
        self.init(microseconds, id)
    }

    private init(_ microseconds: Int64, _ id: UUID) {
        self.init(createdAt: Timestamp(microsecondsSinceUnixEpoch: microseconds), id: id)
    }

    /// The cursor's text for clients.
    ///
    /// It contains nothing that the list does not show.
    public var text: String {
        "\(String(createdAt.microsecondsSinceUnixEpoch, radix: 36)).\(UUIDv7.text(of: id))"
    }

    /// The position before every item: no item is created later, and no id is greater.
    static let newest = PageCursor(
        createdAt: .latest,
        id: UUID(
            uuid: (
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
            )
        )
    )
}

/// The beginning of a page.
public enum PagePosition: Sendable, Hashable {
    /// The newest item.
    case first
    /// The items that are older than the cursor.
    case after(PageCursor)
    /// The items that are newer than the cursor, those nearest to it.
    case before(PageCursor)
}

/// A request for a part of a list.
public struct PageRequest: Sendable, Hashable {
    /// The maximum number of items, 1 to 100.
    public let limit: Int
    /// The beginning of the page.
    public let position: PagePosition

    /// Creates a request.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of items; 50 by default. A value out of range becomes 1 or 100.
    ///   - position: The beginning of the page.
    public init(limit: Int = 50, _ position: PagePosition = .first) {
        self.limit = min(max(limit, 1), 100)
        self.position = position
    }
}

/// A part of a list, newest first.
public struct Page<Element: Sendable>: Sendable {
    /// The items, newest first whatever the direction.
    public let items: [Element]
    /// True if more items follow in the requested direction.
    public let hasMore: Bool
    /// The cursor of the next page in the same direction, or `nil` if there is none.
    public let next: PageCursor?
}

extension Page {
    /// Creates a page from rows, newest first.
    ///
    /// One row more than the page holds tells that another page follows.
    public init(_ rows: [Element], of request: PageRequest, cursor: (Element) -> PageCursor) {
        let isBackward = if case .before = request.position { true } else { false }
        let items = Array(isBackward ? rows.suffix(request.limit) : rows.prefix(request.limit))
        let hasMore = rows.count > request.limit
        let end = isBackward ? items.first : items.last
        self.init(items: items, hasMore: hasMore, next: hasMore ? end.map(cursor) : nil)
    }
}

extension Page {
    /// Returns the page with each item replaced.
    package func map<Other: Sendable>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), hasMore: hasMore, next: next)
    }
}
