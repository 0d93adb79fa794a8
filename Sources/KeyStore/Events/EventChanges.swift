public import FoundationEssentials
public import JSON
public import Keys

/// The `changes` of an event: named values, each alone or as a pair of `from` and `to`.
///
/// An event holds no token, no digest and no metadata: for metadata it records only that it changed.
public struct EventChanges: Sendable {
    private var members: [(String, JSONValue)] = []

    /// Creates an empty object.
    public init() {}

    /// True if there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The members as the text of a JSON object.
    public var text: String { JSONValue.object(JSONObject(members)).text }

    /// Adds a value; null is left out.
    public mutating func add(_ name: String, _ value: some EventValue) {
        let json = value.eventValue
        if !json.isNull { members.append((name, json)) }
    }

    /// Adds a value before and after the change, even where the two are equal.
    public mutating func add(_ name: String, from old: some EventValue, to new: some EventValue) {
        members.append((name, .object(["from": old.eventValue, "to": new.eventValue])))
    }

    /// Adds a value before and after the change, if the two differ.
    public mutating func compare<Value: EventValue>(_ name: String, from old: Value, to new: Value) {
        if old.eventValue != new.eventValue { add(name, from: old, to: new) }
    }
}

/// A value that an event can hold.
public protocol EventValue {
    /// The value as JSON.
    var eventValue: JSONValue { get }
}

extension JSONValue: EventValue {
    /// The value itself.
    public var eventValue: JSONValue { self }
}

extension String: EventValue {
    /// A JSON string.
    public var eventValue: JSONValue { .string(self) }
}

extension Bool: EventValue {
    /// A JSON Boolean.
    public var eventValue: JSONValue { .bool(self) }
}

extension Int: EventValue {
    /// A JSON number.
    public var eventValue: JSONValue { .integer(Int64(self)) }
}

extension Timestamp: EventValue {
    /// A JSON string in RFC 3339.
    public var eventValue: JSONValue { .string(rfc3339) }
}

extension UUID: EventValue {
    /// A JSON string in lower case.
    public var eventValue: JSONValue { .string(UUIDv7.text(of: self)) }
}

extension [String]: EventValue {
    /// A JSON array of strings.
    public var eventValue: JSONValue { .array(map { .string($0) }) }
}

extension Optional: EventValue where Wrapped: EventValue {
    /// The wrapped value, or null.
    public var eventValue: JSONValue { self?.eventValue ?? .null }
}
