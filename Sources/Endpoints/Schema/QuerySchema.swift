package import JSON

/// One parameter of a query.
package struct QueryParameter: Sendable {
    /// The name before the `=`.
    package let name: String

    /// What its value must be like; the text is read as a number or a truth value where the schema asks for one.
    package let schema: Schema

    /// A text for the reader of the documentation.
    package let description: String

    /// Whether it must be there.
    package let isRequired: Bool

    /// Whether it may be there more than once; its value is then an array.
    package let isRepeated: Bool

    /// What is taken for it where it is absent.
    package let fallback: JSONValue?

    /// Makes a parameter.
    package init(
        _ name: String,
        _ schema: Schema,
        _ description: String,
        required: Bool = false,
        repeated: Bool = false,
        default fallback: JSONValue? = nil
    ) {
        self.name = name
        self.schema = schema
        self.description = description
        isRequired = required
        isRepeated = repeated
        self.fallback = fallback
    }

    /// How many elements a list has: 1 to 100, by default 50.
    package static let limit = QueryParameter(
        "limit",
        .integer(1...100),
        "How many elements are returned at most.",
        default: 50
    )

    /// Where a list goes on.
    package static let cursor = QueryParameter(
        "cursor",
        .string(min: 1, max: 512),
        "The `next_cursor` of the page before; without it the list starts."
    )
}

/// The parameters of a query.
package struct QuerySchema: Sendable {
    /// The known parameters.
    package let parameters: [QueryParameter]

    /// What happens to the others.
    package let unknown: ObjectRules.Unknown

    /// Makes a schema.
    package init(_ parameters: [QueryParameter] = [], unknown: ObjectRules.Unknown = .refused) {
        self.parameters = parameters
        self.unknown = unknown
    }

    /// No parameter is known, and each is a fault.
    package static let none = QuerySchema()

    /// No parameter is looked at.
    package static let ignored = QuerySchema(unknown: .ignored)

    /// Adds the two parameters of lists to others.
    package static func page(_ filters: [QueryParameter] = []) -> QuerySchema {
        QuerySchema([.limit, .cursor] + filters)
    }
}
