public import FoundationEssentials
public import Keys

/// A place in a list that is ordered by creation time and id, newest first.
public struct PageCursor: Sendable, Hashable {
    /// The creation time of the item at that place.
    public var createdAt: Timestamp
    /// The id of the item at that place.
    public var id: UUID

    /// Names a place.
    public init(createdAt: Timestamp, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Reads what `text` wrote; `nil` for anything else.
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

    /// The cursor as clients keep it; it holds nothing that the list does not show.
    public var text: String {
        "\(String(createdAt.microsecondsSinceUnixEpoch, radix: 36)).\(UUIDv7.text(of: id))"
    }

    /// A place before everything: no item is made later, and no id is greater.
    static let newest = PageCursor(
        createdAt: .latest,
        id: UUID(
            uuid: (
                255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
            )
        )
    )
}

/// Where a page begins.
public enum PagePosition: Sendable, Hashable {
    /// At the newest item.
    case first
    /// With the items older than this place.
    case after(PageCursor)
    /// With the items newer than this place, those nearest to it.
    case before(PageCursor)
}

/// Which part of a list is wanted.
public struct PageRequest: Sendable, Hashable {
    /// The most items, 1 to 100.
    public let limit: Int
    /// Where to begin.
    public let position: PagePosition

    /// Asks for a page.
    ///
    /// A limit out of range is taken to the nearest end of it; default 50.
    public init(limit: Int = 50, _ position: PagePosition = .first) {
        self.limit = min(max(limit, 1), 100)
        self.position = position
    }
}

/// Part of a list, newest first.
public struct Page<Element: Sendable>: Sendable {
    /// The items, newest first whatever the direction.
    public let items: [Element]
    /// Whether there are further items in the direction that was asked for.
    public let hasMore: Bool
    /// Where the next page begins when going on in the same direction.
    public let next: PageCursor?
}

extension Page {
    /// A page out of rows that were read newest first, one more of them than the page holds, which tells that there is another.
    public init(_ rows: [Element], of request: PageRequest, cursor: (Element) -> PageCursor) {
        let isBackward = if case .before = request.position { true } else { false }
        let items = Array(isBackward ? rows.suffix(request.limit) : rows.prefix(request.limit))
        let hasMore = rows.count > request.limit
        let end = isBackward ? items.first : items.last
        self.init(items: items, hasMore: hasMore, next: hasMore ? end.map(cursor) : nil)
    }
}
