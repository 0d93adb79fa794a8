import FoundationEssentials
import JSON
import MortiseClient

/// An object of the API as lines for people.
struct ObjectText {
    private let object: JSONObject
    /// Returns the text for an actor, such as the name of a key.
    private let actor: @Sendable (String) -> String

    /// The members that say nothing to a person who did not ask for everything.
    private static let technical: Set<String> = [
        "ref", "cluster_id", "organization_id", "workspace_id", "default_workspace_id", "is_default", "secrets",
        "updated_at", "has_inline_jwks", "created_by",
    ]

    /// The values that a person expects.
    private static let expected = ["mode": "live", "has_password": "true"]

    private static let actors: Set<String> = ["created_by", "revoked_by"]

    init(_ value: JSONValue, actor: @escaping @Sendable (String) -> String = { $0 }) {
        object = value.object ?? JSONObject()
        self.actor = actor
    }

    /// All members, as the server names them, with blanks instead of underscores.
    var everything: [String] {
        Self.aligned(object.members.flatMap { rows($0.name, $0.value, names: false) })
    }

    /// The members that have a value and mean something to a person.
    ///
    /// - Parameter members: The names of the members to show, in their order. `nil` means all.
    /// - Returns: The lines.
    func essentials(_ members: [String]? = nil) -> [String] {
        let chosen = members.map { names in names.compactMap { name in object[name].map { (name: name, value: $0) } } }
        let shown = (chosen ?? object.members)
            .filter { member in
                let value = member.value.string ?? member.value.text
                guard !Self.isEmpty(member.value), value != Self.expected[member.name] else { return false }
                return members != nil || !Self.technical.contains(member.name)
            }
        return Self.aligned(shown.flatMap { rows($0.name, $0.value, names: true) })
    }

    /// Returns names and texts as lines, with the texts below each other.
    static func aligned(_ rows: [(name: String, text: String)]) -> [String] {
        let labels = rows.map { $0.name.replacing("_", with: " ").printable }
        let width = labels.reduce(0) { max($0, $1.columns) }
        return zip(labels, rows)
            .map { label, row in
                let style = ["status", "state"].contains(row.name) ? Style.of(status: row.text) : nil
                let text = row.text.printable
                return "\(label.padded(to: width))  \(style?.paint(text) ?? text)"
            }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .null: true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        case .bool(let value): !value
        case .number: false
        }
    }

    /// Returns the rows of a member: one for each object of a list of objects, else one.
    private func rows(_ name: String, _ value: JSONValue, names: Bool) -> [(name: String, text: String)] {
        let objects = (value.array ?? []).compactMap(\.object)
        guard !objects.isEmpty, objects.count == value.array?.count else {
            return [(name, text(name, value, names: names))]
        }
        return objects.enumerated()
            .map { index, object in
                let parts = object.members.filter { !Self.isEmpty($0.value) }
                    .map { "\($0.name.replacing("_", with: " ")) \(text($0.name, $0.value, names: true))" }
                return (name: index == 0 ? name : "", text: DisplayText.list(parts))
            }
    }

    private func text(_ name: String, _ value: JSONValue, names: Bool) -> String {
        switch value {
        case .null: return DisplayText.optional(nil)
        case .bool(let value): return value ? "yes" : "no"
        case .number(let number): return number.text
        case .string(let text):
            if name.hasSuffix("_at"), let time = Date(rfc3339: text) { return DisplayText.time(time) }
            return names && Self.actors.contains(name) ? actor(text) : DisplayText.optional(text)
        case .array(let elements): return DisplayText.list(elements.map { $0.string ?? $0.text })
        case .object(let object):
            if object.isEmpty { return DisplayText.optional(nil) }
            if names, let email = object["email"]?.string { return email }
            return JSONValue.object(object).text
        }
    }
}
