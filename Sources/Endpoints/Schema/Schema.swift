package import JSON

/// The rules for a JSON value.
///
/// One declaration validates the value and describes it in OpenAPI 3.1.
package indirect enum Schema: Sendable {
    /// A string.
    case text(TextRules)
    /// A whole number.
    case integer(ClosedRange<Int64>)
    /// A number. The range defaults to the range of double precision.
    case number(ClosedRange<Double>?)
    /// `true` or `false`.
    case boolean
    /// A list with `count` elements.
    case array(of: Schema, count: ClosedRange<Int>)
    /// An object with known members.
    case object(ObjectRules)
    /// Any JSON value within bounds.
    case free(FreeRules)
    /// `null`, or a value of the inner schema.
    case nullable(Schema)
    /// Any JSON value. The documentation shows the inner schema, and the operation decides about each value.
    case lenient(Schema)
    /// A value of the inner schema that also passes a check. The check runs only on values that the inner schema accepts.
    case checked(Schema, Check)
    /// The inner schema, with a text for readers of the documentation.
    case described(Schema, String)
    /// The inner schema, which the documentation shows once under this name and refers to elsewhere.
    case component(String, Schema)
}

/// A rule that no other schema can express.
package struct Check: Sendable {
    /// Returns the fault as a clause such as "must not be empty", or `nil` without a fault.
    package let fault: @Sendable (JSONValue) -> String?

    /// Creates a rule.
    package init(_ fault: @escaping @Sendable (JSONValue) -> String?) { self.fault = fault }
}

/// The bounds of JSON whose form the client chooses.
package struct FreeRules: Sendable {
    /// The maximum length of the compact text, in bytes.
    package var maximumBytes: Int

    /// True if the value must be an object.
    package var isObject: Bool
}

extension Schema {
    /// Returns the schema of a string of `min` to `max` Unicode scalars, with an optional format.
    package static func string(min: Int = 0, max: Int, _ format: TextFormat? = nil) -> Schema {
        .text(TextRules(length: min...max, format: format))
    }

    /// Returns the schema of a string in a format.
    ///
    /// The format bounds the length.
    package static func string(_ format: TextFormat) -> Schema {
        .text(TextRules(length: 0...format.maximumLength, format: format))
    }

    /// Returns the schema of a string that is one of the choices.
    package static func oneOf(_ choices: [String]) -> Schema {
        .text(TextRules(length: 0...(choices.map(\.unicodeScalars.count).max() ?? 0), choices: choices))
    }

    /// Returns the schema of a string that is one of the choices.
    package static func oneOf(_ choices: String...) -> Schema { oneOf(choices) }

    /// Returns the schema of a list of at most `max` elements.
    package static func array(of element: Schema, max: Int) -> Schema { .array(of: element, count: 0...max) }

    /// Returns the schema of an object with these members.
    ///
    /// Other members are faults by default.
    package static func object(_ fields: [Field], unknown: ObjectRules.Unknown = .refused) -> Schema {
        .object(ObjectRules(fields: fields, unknown: unknown))
    }

    /// Returns the schema of any JSON value of at most `maximumBytes` bytes.
    package static func anyJSON(maximumBytes: Int = 16_384) -> Schema {
        .free(FreeRules(maximumBytes: maximumBytes, isObject: false))
    }

    /// Returns the schema of any JSON object of at most `maximumBytes` bytes.
    package static func anyObject(maximumBytes: Int = 16_384) -> Schema {
        .free(FreeRules(maximumBytes: maximumBytes, isObject: true))
    }

    /// The schema that also accepts `null`.
    package var orNull: Schema { .nullable(self) }

    /// The schema that accepts every value and is only documented.
    ///
    /// For elements of a list that must not be refused because of a single one.
    package var documentedOnly: Schema { .lenient(self) }

    /// Returns the schema with a text for readers of the documentation.
    package func described(_ text: String) -> Schema { .described(self, text) }

    /// Returns the schema with a further rule.
    package func checked(_ fault: @escaping @Sendable (JSONValue) -> String?) -> Schema { .checked(self, Check(fault)) }

    /// Returns the schema as a component, which the documentation shows once under the name.
    package func named(_ name: String) -> Schema { .component(name, self) }
}
