package import JSON

/// What a JSON value must be like: one declaration validates it and describes it in OpenAPI 3.1.
package indirect enum Schema: Sendable {
    /// A string.
    case text(TextRules)
    /// A whole number.
    case integer(ClosedRange<Int64>)
    /// A number, within double precision's range when no other is given.
    case number(ClosedRange<Double>?)
    /// `true` or `false`.
    case boolean
    /// A list; `count` is how long it may be.
    case array(of: Schema, count: ClosedRange<Int>)
    /// An object with known members.
    case object(ObjectRules)
    /// Whatever JSON the client likes, within bounds.
    case free(FreeRules)
    /// `null`, or what the schema inside says.
    case nullable(Schema)
    /// What the schema inside says, and a rule of its own that is tried only on values that it accepts.
    case checked(Schema, Check)
    /// The schema inside, with a text for the reader of the documentation.
    case described(Schema, String)
    /// The schema inside, which the documentation shows once under this name and refers to elsewhere.
    case component(String, Schema)
}

/// A rule that the other schemas cannot express.
package struct Check: Sendable {
    /// Says what is wrong, as a clause such as "must not be empty"; `nil` if nothing is.
    package let fault: @Sendable (JSONValue) -> String?

    /// Whether its faults are only told beside others.
    ///
    /// For what depends on the time: a request that was right when it was first sent, and is sent again with its `Idempotency-Key`, must
    /// get as far as the use case, which looks for the first one before it judges.
    package let isLeftToUseCase: Bool

    /// Makes a rule.
    package init(isLeftToUseCase: Bool = false, _ fault: @escaping @Sendable (JSONValue) -> String?) {
        self.isLeftToUseCase = isLeftToUseCase
        self.fault = fault
    }
}

/// The bounds of JSON whose form is the client's own affair.
package struct FreeRules: Sendable {
    /// How many bytes its compact text may have.
    package var maximumBytes: Int

    /// Whether it has to be an object.
    package var isObject: Bool
}

extension Schema {
    /// A string of `min` to `max` Unicode scalars, in a format where one is given.
    package static func string(min: Int = 0, max: Int, _ format: TextFormat? = nil) -> Schema {
        .text(TextRules(length: min...max, format: format))
    }

    /// A string in a format that bounds its length itself.
    package static func string(_ format: TextFormat) -> Schema {
        .text(TextRules(length: 0...format.maximumLength, format: format))
    }

    /// One of these strings.
    package static func oneOf(_ choices: [String]) -> Schema {
        .text(TextRules(length: 0...(choices.map(\.unicodeScalars.count).max() ?? 0), choices: choices))
    }

    /// One of these strings.
    package static func oneOf(_ choices: String...) -> Schema { oneOf(choices) }

    /// A list of at most `max` elements.
    package static func array(of element: Schema, max: Int) -> Schema { .array(of: element, count: 0...max) }

    /// An object with these members, and no others unless they are to be ignored.
    package static func object(_ fields: [Field], unknown: ObjectRules.Unknown = .refused) -> Schema {
        .object(ObjectRules(fields: fields, unknown: unknown))
    }

    /// Any JSON value of at most `maximumBytes` bytes.
    package static func anyJSON(maximumBytes: Int = 16_384) -> Schema {
        .free(FreeRules(maximumBytes: maximumBytes, isObject: false))
    }

    /// Any JSON object of at most `maximumBytes` bytes.
    package static func anyObject(maximumBytes: Int = 16_384) -> Schema {
        .free(FreeRules(maximumBytes: maximumBytes, isObject: true))
    }

    /// The same, or `null`.
    package var orNull: Schema { .nullable(self) }

    /// The same, with a text for the reader of the documentation.
    package func described(_ text: String) -> Schema { .described(self, text) }

    /// The same, and a rule that says what is wrong.
    package func checked(_ fault: @escaping @Sendable (JSONValue) -> String?) -> Schema { .checked(self, Check(fault)) }

    /// The same, and a rule that the use case applies too; a value that breaks no other rule is left to it.
    package func checkedByUseCase(_ fault: @escaping @Sendable (JSONValue) -> String?) -> Schema {
        .checked(self, Check(isLeftToUseCase: true, fault))
    }

    /// The same, shown once under that name in the documentation.
    package func named(_ name: String) -> Schema { .component(name, self) }
}
