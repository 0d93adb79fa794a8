import JSON
import Logging

/// The metadata of a line: flat, redacted and bounded.
struct LogFields {
    let redact: @Sendable (String) -> String
    private(set) var fields: [(name: String, value: JSONValue)] = []

    private static let reserved: Set<String> = ["ts", "level", "logger", "message"]

    init(redact: @escaping @Sendable (String) -> String) {
        self.redact = redact
    }

    mutating func add(_ name: String, _ value: Logger.Metadata.Value) {
        guard fields.count < JSONLogHandler.maximumMembers else { return }
        if case .dictionary(let members) = value {
            for key in members.keys.sorted() {
                if let member = members[key] { add("\(name).\(key)", member) }
            }
            return
        }
        let safeName = Self.reserved.contains(name) ? "metadata.\(name)" : text(name)
        fields.append((safeName, json(value, depth: 0)))
    }

    /// Returns a text that is redacted and bounded.
    ///
    /// The text is redacted before it is cut, because the redactor does not recognize a half of a secret.
    func text(_ text: String) -> String {
        let redacted = redact(text)
        let limit = JSONLogHandler.maximumTextBytes
        guard redacted.utf8.count > limit else { return redacted }
        return String(decoding: redacted.utf8.prefix(limit), as: UTF8.self) + "…"
    }

    private func json(_ value: Logger.Metadata.Value, depth: Int) -> JSONValue {
        switch value {
        case .string(let string): .string(text(string))
        case .stringConvertible(let value as Int): .integer(Int64(value))
        case .stringConvertible(let value as Int64): .integer(value)
        case .stringConvertible(let value as Bool): .bool(value)
        case .stringConvertible(let value): .string(text(value.description))
        case .array(let values) where depth < 4:
            .array(values.prefix(JSONLogHandler.maximumMembers).map { json($0, depth: depth + 1) })
        case .array, .dictionary: .string(text(value.description))
        }
    }
}
