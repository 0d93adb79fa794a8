package import JSON

/// One parameter of a query.
package struct QueryParameter: Sendable {
    /// The name before the `=`.
    package let name: String

    /// The rules for the value.
    ///
    /// The text is read as a number or a Boolean value if the schema has that type.
    package let schema: Schema

    /// A text for readers of the documentation.
    package let description: String

    /// True if the parameter must exist.
    package let isRequired: Bool

    /// True if the parameter can be repeated.
    ///
    /// Its value is then an array.
    package let isRepeated: Bool

    /// The value of an absent parameter.
    package let fallback: JSONValue?

    /// Creates a parameter.
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

    /// The page size of a list: 1 to 100.
    ///
    /// Defaults to 50.
    package static let limit = QueryParameter(
        "limit",
        .integer(1...100),
        "The maximum number of elements in the page.",
        default: 50
    )

    /// The position of a page in a list.
    package static let cursor = QueryParameter(
        "cursor",
        .string(min: 1, max: 512),
        "The `next_cursor` of the previous page of the same list. Without a cursor, the list starts at its beginning."
    )
}

/// The rules for the parameters of a query.
package struct QuerySchema: Sendable {
    /// The known parameters.
    package let parameters: [QueryParameter]

    /// The treatment of unknown parameters.
    package let unknown: ObjectRules.Unknown

    /// Creates a schema.
    package init(_ parameters: [QueryParameter] = [], unknown: ObjectRules.Unknown = .refused) {
        self.parameters = parameters
        self.unknown = unknown
    }

    /// The schema of a query without parameters.
    ///
    /// Each parameter is a fault.
    package static let none = QuerySchema()

    /// The schema of a query that is not read.
    package static let ignored = QuerySchema(unknown: .ignored)

    /// Returns a schema with the two parameters of lists and the given filters.
    package static func page(_ filters: [QueryParameter] = []) -> QuerySchema {
        QuerySchema([.limit, .cursor] + filters)
    }
}
