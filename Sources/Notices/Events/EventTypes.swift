import KeyStore

/// The types of events that webhooks are told of.
package enum WebhookEventTypes {
    /// The type of a test.
    package static let test = "webhook.test"

    /// The families of types, each the first word of its types.
    private static let families: Set<String> = ["key", "workspace", "member", "webhook"]

    /// Every type that a webhook can name.
    package static let all: [String] =
        EventType.allCases.map { name(of: $0.rawValue) }
        .filter { families.contains(family(of: $0)) } + [test]

    /// Returns the type of an event for receivers: an event of a key begins with `key.`.
    static func name(of type: String) -> String { type.contains(".") ? type : "key.\(type)" }

    /// Returns true if webhooks are told of an event.
    static func isPublished(_ type: String) -> Bool { families.contains(family(of: name(of: type))) }

    /// Returns true if a text is a type, a family such as `key.*`, or `*`.
    package static func isPattern(_ text: String) -> Bool {
        if text == "*" || all.contains(text) { return true }
        return text.hasSuffix(".*") && families.contains(String(text.dropLast(2)))
    }

    /// Returns true if one of the patterns names a type.
    static func matches(_ patterns: [String], _ type: String) -> Bool {
        patterns.contains { $0 == "*" || $0 == type || $0 == "\(family(of: type)).*" }
    }

    private static func family(of type: String) -> String { String(type.prefix { $0 != "." }) }
}
