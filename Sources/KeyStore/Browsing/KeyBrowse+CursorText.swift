import Keys

extension KeyBrowse.Cursor {
    /// Parses a cursor's text, or returns `nil` for any other text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - order: The order of the list.
    public init?(_ text: String, of order: KeyBrowse.Order) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let value = Value(parts[0], of: order), let id = UUIDv7.parse(String(parts[1])) else {
            return nil
        }
        self.init(value: value, id: id)
        guard self.text == text else { return nil }
    }

    /// The cursor's text for clients, which is visible ASCII.
    ///
    /// It contains nothing that the list does not show.
    public var text: String { "\(value.text).\(UUIDv7.text(of: id))" }
}

extension KeyBrowse.Cursor.Value {
    fileprivate init?(_ text: Substring, of order: KeyBrowse.Order) {
        switch order {
        case .name:
            // PostgreSQL takes no NUL in a text.
            guard let bytes = Hex.decode(text.utf8), !bytes.contains(0),
                let name = String(validating: bytes, as: UTF8.self)
            else { return nil }
            self = .text(name)
        case .created, .ends, .used:
            guard let microseconds = Int64(text, radix: 36) else { return nil }
            self = .time(Timestamp(microsecondsSinceUnixEpoch: microseconds))
        }
    }

    fileprivate var text: String {
        switch self {
        case .text(let text): Hex.encode(text.utf8)
        case .time(let time): String(time.microsecondsSinceUnixEpoch, radix: 36)
        }
    }
}
