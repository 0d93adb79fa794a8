import Endpoints
import FoundationEssentials
import Keys

/// The beginning of the cursors of one list, by which the list knows its own.
///
/// A position in one list means nothing in another one, and would leave out items there without a word.
struct CursorMark: Sendable {
    private let text: String

    /// Creates the mark of a list.
    ///
    /// - Parameters:
    ///   - list: The kind of the list.
    ///   - ids: The ids of what the list belongs to, such as its workspace. A slug would not do: a request can name the id instead.
    init(_ list: String, of ids: UUID?...) {
        let names = [list] + ids.map { $0.map(UUIDv7.text(of:)) ?? "" }
        // A checksum tells two lists apart, and protects nothing.
        let checksum = CRC32.checksum(of: Array(names.joined(separator: " ").utf8).span)
        text = "\(String(checksum, radix: 36))."
    }

    /// Returns the cursor of a position in the list, or `nil` for no position.
    func cursor(_ position: String?) -> String? { position.map { text + $0 } }

    /// Returns the position of a cursor.
    ///
    /// - Throws: `Problem.unknownCursor` for the cursor of another list.
    func position(_ cursor: String) throws(Problem) -> String {
        guard cursor.hasPrefix(text) else { throw .unknownCursor }
        return String(cursor.dropFirst(text.count))
    }
}

extension Problem {
    /// The problem of a `cursor` that no page of the list had.
    static let unknownCursor = Problem.invalidRequest(
        Fault(.query("cursor"), "must be the `next_cursor` of a page of this list")
    )
}
