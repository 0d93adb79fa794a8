import JSON

extension QuerySchema {
    /// The maximum length of a query, in bytes.
    package static let maximumBytes = 8192

    /// The maximum number of parameters in a query.
    package static let maximumCount = 100

    /// Decodes and validates the text after the `?`.
    ///
    /// A `+` stands for a space. A query that is too long, or that has too many parameters, is a fault. A query that the endpoint does
    /// not read has no faults.
    ///
    /// - Returns: The parameters with defaults, and the faults. The parameters are usable only without faults.
    package func parse(_ text: String?) -> (fields: Fields, faults: [Fault]) {
        var reader = QueryReader(schema: self)
        guard let text, !text.isEmpty, !isIgnored else { return reader.finish() }
        guard text.utf8.count <= Self.maximumBytes else {
            return (Fields(), [Fault(.query(""), "the query must have at most \(Self.maximumBytes) bytes")])
        }
        let pairs = text.split(separator: "&", maxSplits: Self.maximumCount, omittingEmptySubsequences: true)
        guard pairs.count <= Self.maximumCount else {
            return (Fields(), [Fault(.query(""), "the query must have at most \(Self.maximumCount) parameters")])
        }
        for pair in pairs { reader.read(pair) }
        return reader.finish()
    }

    private var isIgnored: Bool { parameters.isEmpty && unknown == .ignored }
}

private struct QueryReader {
    let schema: QuerySchema
    /// The values of each parameter of the schema, in the order of the query.
    private var values: [[JSONValue]]
    /// The parameters in the order of their first values.
    private var order: [Int] = []
    private var faults: [Fault] = []

    init(schema: QuerySchema) {
        self.schema = schema
        values = Array(repeating: [], count: schema.parameters.count)
    }

    private mutating func fail(_ name: String, _ detail: String, _ kind: Fault.Kind = .unacceptable) {
        guard faults.count < Validation.maximumFaults else { return }
        faults.append(Fault(.query(name), detail, kind: kind))
    }

    mutating func read(_ pair: Substring) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = PercentDecoding.decode(parts[0], plusIsSpace: true) else {
            return fail("", "the query must be percent-encoded UTF-8")
        }
        guard let index = schema.parameters.firstIndex(where: { $0.name.hasSameBytes(as: name) }) else {
            if schema.unknown == .refused { fail(name, "is not a parameter of this operation") }
            return
        }
        guard let text = PercentDecoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true) else {
            return fail(name, "must be percent-encoded UTF-8")
        }
        let parameter = schema.parameters[index]
        guard parameter.isRepeated || values[index].isEmpty else { return fail(name, "must not be repeated") }
        if values[index].isEmpty { order.append(index) }
        values[index].append(parameter.schema.value(ofText: text))
    }

    mutating func finish() -> (fields: Fields, faults: [Fault]) {
        var object = JSONObject()
        for index in order {
            let parameter = schema.parameters[index]
            object[parameter.name] = parameter.isRepeated ? .array(values[index]) : values[index][0]
        }
        for (parameter, values) in zip(schema.parameters, values) {
            for value in values {
                for fault in parameter.schema.validate(value) { fail(parameter.name, fault.detail, fault.kind) }
            }
            guard values.isEmpty else { continue }
            if parameter.isRequired { fail(parameter.name, Fault.isRequired, .missing) }
            if let fallback = parameter.fallback { object[parameter.name] = fallback }
        }
        return (Fields(object), faults)
    }
}

extension Schema {
    /// Returns a parameter's text as the type of the schema, or as a string if the text does not have that type.
    fileprivate func value(ofText text: String) -> JSONValue {
        switch self {
        case .integer:
            // Int64's own parser also accepts "+5" and "007".
            if let value = Int64(text), value.description == text { .integer(value) } else { .string(text) }
        case .number:
            if case .number(let number)? = try? JSONValue(parsing: text.utf8) { .number(number) } else { .string(text) }
        case .boolean:
            switch text {
            case "true": true
            case "false": false
            default: .string(text)
            }
        case .nullable(let schema), .checked(let schema, _), .described(let schema, _), .component(_, let schema):
            schema.value(ofText: text)
        case .text, .array, .object, .free, .lenient: .string(text)
        }
    }
}
