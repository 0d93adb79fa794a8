import JSON

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension JSONObject {
    /// Adds a member unless the value is `nil`.
    mutating func add(_ name: String, _ text: String?) {
        if let text { self[name] = .string(text) }
    }

    /// Adds a member unless the value is `nil`.
    mutating func add(_ name: String, _ number: Int?) {
        if let number { self[name] = .integer(Int64(number)) }
    }

    /// Adds a member unless the value is `nil`.
    mutating func add(_ name: String, _ texts: [String]?) {
        if let texts { self[name] = texts.json }
    }

    /// Adds a member unless the value is `nil`.
    mutating func add(_ name: String, _ date: Date?) {
        if let date { self[name] = .string(date.rfc3339) }
    }

    /// Adds a member unless the change is ``Change/keep``.
    ///
    /// - Parameters:
    ///   - name: The name of the member.
    ///   - change: The change.
    ///   - cleared: The value that clears the setting.
    ///   - encode: Returns the JSON of a new value.
    mutating func add<Value>(
        _ name: String,
        _ change: Change<Value>,
        cleared: JSONValue = .null,
        _ encode: (Value) -> JSONValue
    ) {
        switch change {
        case .keep: break
        case .set(let value): self[name] = encode(value)
        case .clear: self[name] = cleared
        }
    }
}

extension Array<String> {
    /// The strings as a JSON array.
    var json: JSONValue { .array(map(JSONValue.string)) }
}
