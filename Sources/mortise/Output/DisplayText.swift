import FoundationEssentials
import JSON
import MortiseClient

/// Values of the API as text for people.
enum DisplayText {
    private static let absent = "-"

    /// Text, or a hyphen if there is none.
    static func optional(_ text: String?) -> String {
        guard let text, !text.isEmpty else { return absent }
        return text
    }

    /// Texts with commas between them, or a hyphen if there are none.
    static func list(_ texts: [String]) -> String {
        optional(texts.joined(separator: ", "))
    }

    /// A time in UTC to the minute, such as `2026-01-31 12:34`, or a hyphen if there is none.
    static func minute(_ time: Date?) -> String {
        time.map { minute(rfc3339: $0.rfc3339) } ?? absent
    }

    /// A time in UTC to the minute.
    static func minute(rfc3339 text: String) -> String {
        String(text.prefix(16).replacing("T", with: " "))
    }

    /// The members of an object as aligned lines.
    ///
    /// The names have blanks instead of underscores.
    static func lines(_ object: JSONValue) -> [String] {
        let members = object.object?.members ?? []
        let width = members.reduce(0) { max($0, $1.name.printable.columns) }
        return members.map { member in
            let label = member.name.replacing("_", with: " ").printable.padded(to: width)
            return "\(label)  \(text(member.value).printable)"
        }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: absent
        case .bool(let value): value ? "yes" : "no"
        case .number(let number): number.text
        case .string(let text): optional(text)
        case .array(let elements): list(elements.map { $0.string ?? $0.text })
        case .object(let object): object.isEmpty ? absent : JSONValue.object(object).text
        }
    }
}
