package import JSON

/// The members of a validated body, or the parameters of a validated query, which are read by name and type.
///
/// A read that the schema does not allow throws `FieldMismatch`. That is a fault of the program, not of the client.
package struct Fields: Sendable {
    /// The members, as the client sent them.
    package let object: JSONObject

    /// Creates a reader of an object.
    package init(_ object: JSONObject = JSONObject()) {
        self.object = object
    }

    /// Returns true if the member exists, even with the value `null`.
    package func contains(_ name: String) -> Bool { object[name] != nil }

    /// Returns the value of a member that the schema requires.
    package func required<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let json = object[name], let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return value
    }

    /// Returns the value of a member, or `nil` if the member is absent or `null`.
    package func optional<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return value
    }

    /// Returns the change of a member by a PATCH.
    package func change<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Change<Value>
    {
        guard let json = object[name] else { return .keep }
        guard !json.isNull else { return .clear }
        guard let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return .set(value)
    }
}

/// The error that a handler read a member, or a type, that the endpoint's schema does not allow.
package struct FieldMismatch: Error, CustomStringConvertible {
    /// The name of the member.
    package let name: String

    /// Creates the error for a member.
    package init(name: String) {
        self.name = name
    }

    /// A sentence about the fault of the program.
    package var description: String { "the schema does not allow the member \"\(name)\" with the type that was read" }
}

/// A type that can be read from a validated value.
package protocol FieldReadable: Sendable {
    /// Reads the value. Returns `nil` if the value has another type.
    init?(json: JSONValue)
}

extension String: FieldReadable {
    /// Reads a string.
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self = text
    }
}

extension Bool: FieldReadable {
    /// Reads `true` or `false`.
    package init?(json: JSONValue) {
        guard case .bool(let value) = json else { return nil }
        self = value
    }
}

extension Int64: FieldReadable {
    /// Reads an integer.
    package init?(json: JSONValue) {
        guard case .number(let number) = json, let value = number.int64 else { return nil }
        self = value
    }
}

extension Int: FieldReadable {
    /// Reads an integer.
    package init?(json: JSONValue) {
        guard let value = Int64(json: json) else { return nil }
        self.init(exactly: value)
    }
}

extension Double: FieldReadable {
    /// Reads a number.
    package init?(json: JSONValue) {
        guard case .number(let number) = json, let value = number.double else { return nil }
        self = value
    }
}

extension JSONValue: FieldReadable {
    /// Returns the value unchanged.
    package init?(json: JSONValue) { self = json }
}

extension JSONObject: FieldReadable {
    /// Reads an object.
    package init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self = object
    }
}

extension Fields: FieldReadable {
    /// Reads an object.
    package init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self.init(object)
    }
}

extension Array: FieldReadable where Element: FieldReadable {
    /// Reads an array whose elements all have the type.
    package init?(json: JSONValue) {
        guard case .array(let values) = json else { return nil }
        self = []
        reserveCapacity(values.count)
        for value in values {
            guard let element = Element(json: value) else { return nil }
            append(element)
        }
    }
}
