import JSON

/// How values of the API are shown to people.
enum Wording {
    /// A value in one line; what is absent is a hyphen.
    static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: "-"
        case .bool(let value): value ? "yes" : "no"
        case .number(let number): number.text
        case .string(let text): text.isEmpty ? "-" : text
        case .array(let elements): elements.isEmpty ? "-" : elements.map(inner).joined(separator: ", ")
        case .object(let object): object.isEmpty ? "-" : JSONValue.object(object).text
        }
    }

    private static func inner(_ value: JSONValue) -> String {
        if case .string(let text) = value { text } else { value.text }
    }

    /// A time to the minute, `2026-01-31 12:34`; the API's times are in UTC, and the headings say so.
    static func minute(_ value: JSONValue?) -> String {
        guard let text = value?.string else { return "-" }
        return text.count > 16 ? String(text.prefix(16).replacing("T", with: " ")) : text
    }

    /// The members of an object as aligned lines, with spaces for the underscores of their names.
    static func lines(_ object: JSONObject, except hidden: Set<String> = []) -> [String] {
        let members = object.members.filter { !hidden.contains($0.name) }
        let width = members.reduce(0) { max($0, $1.name.columns) }
        return members.map { member in
            let label = member.name.replacing("_", with: " ").padded(to: width)
            return "\(label)  \(text(member.value).printable)"
        }
    }
}
