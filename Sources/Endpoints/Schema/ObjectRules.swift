import JSON

/// The members of an object.
package struct ObjectRules: Sendable {
    /// What happens to members that no field describes.
    package enum Unknown: Sendable {
        /// Each is a fault.
        case refused
        /// They are not looked at.
        case ignored
    }

    /// The known members.
    package var fields: [Field]

    /// What happens to the others.
    package var unknown: Unknown
}

extension Schema {
    /// The members of an object without those that nobody looked at.
    ///
    /// Of them nothing is known, least of all their types: no handler gets to see them.
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
        case .text, .integer, .number, .boolean, .array, .object, .free: value.object ?? JSONObject()
        }
    }
}

/// One member of an object.
package struct Field: Sendable {
    /// The member's name.
    package let name: String

    /// What its value must be like.
    package let schema: Schema

    /// Whether it must be there.
    package let isRequired: Bool

    /// A member that must be there.
    package static func required(_ name: String, _ schema: Schema) -> Field {
        Field(name: name, schema: schema, isRequired: true)
    }

    /// A member that may be left out.
    package static func optional(_ name: String, _ schema: Schema) -> Field {
        Field(name: name, schema: schema, isRequired: false)
    }
}
