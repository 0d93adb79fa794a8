import JSON

/// The rules for the members of an object.
package struct ObjectRules: Sendable {
    /// The treatment of members that no field describes.
    package enum Unknown: Sendable {
        /// Each unknown member is a fault.
        case refused
        /// Unknown members are not read.
        case ignored
    }

    /// The known members.
    package var fields: [Field]

    /// The treatment of unknown members.
    package var unknown: Unknown
}

extension Schema {
    /// Returns the members of an object that the schema describes.
    ///
    /// No handler sees the others, because nothing has checked their types.
    func known(in value: JSONValue) -> JSONObject {
        switch self {
        case .object(let rules) where rules.unknown == .ignored:
            JSONObject(
                (value.object?.members ?? [])
                    .filter { member in rules.fields.contains { $0.name.hasSameBytes(as: member.name) } }
                    .map { ($0.name, $0.value) }
            )
        case .nullable(let schema), .checked(let schema, _), .described(let schema, _), .component(_, let schema):
            schema.known(in: value)
        case .text, .integer, .number, .boolean, .array, .object, .free, .lenient: value.object ?? JSONObject()
        }
    }
}

/// The rules for one member of an object.
package struct Field: Sendable {
    /// The name of the member.
    package let name: String

    /// The rules for the value.
    package let schema: Schema

    /// True if the member must exist.
    package let isRequired: Bool

    /// Returns the rules for a required member.
    package static func required(_ name: String, _ schema: Schema) -> Field {
        Field(name: name, schema: schema, isRequired: true)
    }

    /// Returns the rules for an optional member.
    package static func optional(_ name: String, _ schema: Schema) -> Field {
        Field(name: name, schema: schema, isRequired: false)
    }
}
