package import JSON

/// The members of a validated body, or the parameters of a validated query, read by name and type.
///
/// Reading what the schema does not promise throws `FieldMismatch`; that is a fault of the program, not of the client.
package struct Fields: Sendable {
    /// The members as they were sent.
    package let object: JSONObject

    /// Makes a reader.
    package init(_ object: JSONObject = JSONObject()) {
        self.object = object
    }

    /// Whether the member is there, `null` included.
    package func contains(_ name: String) -> Bool { object[name] != nil }

    /// The value of a member that the schema requires.
    package func required<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let json = object[name], let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return value
    }

    /// The value of a member; `nil` if it is absent or `null`.
    package func optional<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return value
    }

    /// What a PATCH says about a member.
    package func change<Value: FieldReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Change<Value>
    {
        guard let json = object[name] else { return .keep }
        guard !json.isNull else { return .clear }
        guard let value = Value(json: json) else { throw FieldMismatch(name: name) }
        return .set(value)
    }
}

/// A handler asked for a member, or a type, that its endpoint's schema does not promise.
package struct FieldMismatch: Error, CustomStringConvertible {
    /// The member that was asked for.
    package let name: String

    /// Makes the error for a member.
    package init(name: String) {
        self.name = name
    }

    /// What happened.
    package var description: String { "the schema does not promise member \"\(name)\" in the type it was read as" }
}

/// A type that can be read from a validated value.
package protocol FieldReadable: Sendable {
    /// Reads the value; `nil` if it has another type.
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
    /// Takes the value as it is.
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
    /// Reads an array, all of whose elements must have the type.
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
