import JSON

extension QuerySchema {
    /// Decodes and validates the text after the `?`.
    ///
    /// A `+` stands for a space.
    ///
    /// - Returns: The parameters with defaults, and the faults. The parameters are usable only without faults.
    package func parse(_ text: String?) -> (fields: Fields, faults: [Fault]) {
        var reader = QueryReader(schema: self)
        if let text, !text.isEmpty {
            for pair in text.split(separator: "&", omittingEmptySubsequences: true) { reader.read(pair) }
        }
        return reader.finish()
    }
}

private struct QueryReader {
    let schema: QuerySchema
    var object = JSONObject()
    var faults: [Fault] = []

    mutating func fail(_ name: String, _ detail: String, _ kind: Fault.Kind = .unacceptable) {
        guard faults.count < Validation.maximumFaults else { return }
        faults.append(Fault(.query(name), detail, kind: kind))
    }

    mutating func read(_ pair: Substring) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = PercentDecoding.decode(parts[0], plusIsSpace: true) else {
            return fail("", "the query must be percent-encoded UTF-8")
        }
        guard let parameter = schema.parameters.first(where: { $0.name.hasSameBytes(as: name) }) else {
            if schema.unknown == .refused { fail(name, "is not a parameter of this operation") }
            return
        }
        guard let text = PercentDecoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true) else {
            return fail(name, "must be percent-encoded UTF-8")
        }
        let value = parameter.schema.value(ofText: text)
        switch (object[name], parameter.isRepeated) {
        case (nil, false): object[name] = value
        case (nil, true): object[name] = [value]
        case (.array(let earlier)?, true): object[name] = .array(earlier + [value])
        case (_?, _): fail(name, "must not be repeated")
        }
    }

    mutating func finish() -> (fields: Fields, faults: [Fault]) {
        for parameter in schema.parameters {
            switch object[parameter.name] {
            case let value?: check(value, parameter)
            case nil where parameter.isRequired: fail(parameter.name, Fault.isRequired, .missing)
            case nil: object[parameter.name] = parameter.fallback
            }
        }
        return (Fields(object), faults)
    }

    private mutating func check(_ value: JSONValue, _ parameter: QueryParameter) {
        let values = parameter.isRepeated ? value.array ?? [] : [value]
        for value in values {
            for fault in parameter.schema.validate(value) { fail(parameter.name, fault.detail, fault.kind) }
        }
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
        case .text, .array, .object, .free: .string(text)
        }
    }
}
