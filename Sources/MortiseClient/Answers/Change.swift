import JSON

/// What becomes of a setting that can be taken back.
///
/// ```swift
/// var changes = Mortise.KeyChanges()
/// changes.description = .set("for the nightly build")
/// changes.rateLimitPerHour = .clear
/// print(changes.expiresAt == .keep)  // true
/// ```
public enum Change<Value: Sendable & Hashable>: Sendable, Hashable {
    /// It stays as it is.
    case keep
    /// It gets this value.
    case set(Value)
    /// It is taken back.
    case clear

    /// What is sent for it; `nil` where nothing is.
    func member(_ encode: (Value) -> JSONValue) -> JSONValue? {
        switch self {
        case .keep: nil
        case .set(let value): encode(value)
        case .clear: .null
        }
    }
}

extension Array<String> {
    /// A list for the wire.
    var json: JSONValue { .array(map(JSONValue.string)) }
}
