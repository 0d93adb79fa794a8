import Endpoints
import KeyStore

/// An order of a list of keys, by the name that the parameter `sort` has for it.
struct KeySort: Sendable, Equatable {
    let order: KeyBrowse.Order
    let isAscending: Bool

    /// The order of a list without `sort`.
    static let newestFirst = KeySort(order: .created, isAscending: false)

    /// Every order, each before its reverse.
    static let all = KeyBrowse.Order.allCases.flatMap { order in
        [KeySort(order: order, isAscending: true), KeySort(order: order, isAscending: false)]
    }

    /// The name: that of the member that the keys are ordered by, with a minus for the greatest value first.
    var name: String { "\(isAscending ? "" : "-")\(order.member)" }

    /// Returns the order of a name, or `nil` if the name has none.
    static func named(_ name: String) -> KeySort? { all.first { $0.name == name } }

    // MARK: Positions

    /// Returns the text of a position in a list in this order.
    func text(of cursor: KeyBrowse.Cursor) -> String {
        self == .newestFirst ? cursor.text : "\(name).\(cursor.text)"
    }

    /// Reads the text of a position in a list in this order.
    ///
    /// A position in one order means nothing in another, and would leave out keys there.
    func cursor(_ text: String) throws(Problem) -> KeyBrowse.Cursor {
        guard let (sort, cursor) = Self.read(text) else { throw .unknownCursor }
        guard sort == self else {
            throw .invalidRequest(
                Fault(
                    .query("cursor"),
                    "must be from a list with the same `sort`, and this one is from `sort=\(sort.name)`"
                )
            )
        }
        return cursor
    }

    private static func read(_ text: String) -> (KeySort, KeyBrowse.Cursor)? {
        if let cursor = KeyBrowse.Cursor(text, of: .created) { return (.newestFirst, cursor) }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let sort = named(String(parts[0])), sort != .newestFirst,
            let cursor = KeyBrowse.Cursor(String(parts[1]), of: sort.order)
        else { return nil }
        return (sort, cursor)
    }
}

extension KeyBrowse.Order {
    /// The member of a key that has the value.
    fileprivate var member: String {
        switch self {
        case .name: "name"
        case .created: "created_at"
        case .ends: "expires_at"
        case .used: "last_used_at"
        }
    }
}
