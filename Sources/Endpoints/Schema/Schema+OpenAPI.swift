package import JSON

extension Schema {
    /// Returns the schema as an OpenAPI 3.1 schema object.
    ///
    /// Components appear as references.
    package func openAPI() -> JSONValue {
        switch self {
        case .text(let rules): rules.openAPI()
        case .integer(let range):
            ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .number(let range): numberForm(range)
        case .boolean: ["type": "boolean"]
        case .array(let element, let count):
            [
                "type": "array", "items": element.openAPI(), "minItems": .integer(Int64(count.lowerBound)),
                "maxItems": .integer(Int64(count.upperBound)),
            ]
        case .object(let rules): rules.openAPI()
        case .free(let rules): rules.isObject ? ["type": "object", "additionalProperties": true] : [:]
        case .nullable(let schema): schema.nullableForm()
        case .checked(let schema, _), .lenient(let schema): schema.openAPI()
        case .described(let schema, let text): schema.openAPI(describedAs: text)
        case .component(let name, _): ["$ref": .string("#/components/schemas/\(name)")]
        }
    }

    /// Visits every component inside, each before the components that it contains.
    package func forEachComponent(_ visit: (_ name: String, _ schema: Schema) throws -> Void) rethrows {
        switch self {
        case .text, .integer, .number, .boolean, .free: break
        case .array(let element, _): try element.forEachComponent(visit)
        case .object(let rules):
            for field in rules.fields { try field.schema.forEachComponent(visit) }
        case .nullable(let schema), .checked(let schema, _), .lenient(let schema), .described(let schema, _):
            try schema.forEachComponent(visit)
        case .component(let name, let schema):
            try visit(name, schema)
            try schema.forEachComponent(visit)
        }
    }

    private func numberForm(_ range: ClosedRange<Double>?) -> JSONValue {
        var form = JSONObject()
        form["type"] = "number"
        if let range {
            form["minimum"] = JSONNumber(range.lowerBound).map { .number($0) }
            form["maximum"] = JSONNumber(range.upperBound).map { .number($0) }
        }
        return .object(form)
    }

    private func openAPI(describedAs text: String) -> JSONValue {
        guard case .object(var form) = openAPI() else { return openAPI() }
        form["description"] = .string(text)
        return .object(form)
    }

    /// Returns the schema object that also accepts `null`.
    ///
    /// JSON Schema 2020-12 adds `null` to the list of types. A reference and an enumeration cannot have a second type.
    private func nullableForm() -> JSONValue {
        let form = openAPI()
        guard case .object(var object) = form, case .string(let type)? = object["type"], object["enum"] == nil else {
            return form == [:] ? form : ["anyOf": [form, ["type": "null"]]]
        }
        object["type"] = [.string(type), "null"]
        return .object(object)
    }
}

extension TextRules {
    /// Returns the rules as an OpenAPI 3.1 schema object.
    func openAPI() -> JSONValue {
        var form = JSONObject()
        form["type"] = "string"
        if let choices {
            form["enum"] = .array(choices.map { .string($0) })
            return .object(form)
        }
        if length.lowerBound > 0 { form["minLength"] = .integer(Int64(length.lowerBound)) }
        form["maxLength"] = .integer(Int64(length.upperBound))
        form["format"] = format?.name.map { .string($0) }
        form["pattern"] = format?.pattern.map { .string($0) }
        return .object(form)
    }
}

extension ObjectRules {
    /// Returns the rules as an OpenAPI 3.1 schema object.
    func openAPI() -> JSONValue {
        var properties = JSONObject()
        for field in fields { properties[field.name] = field.schema.openAPI() }
        var form = JSONObject()
        form["type"] = "object"
        form["properties"] = .object(properties)
        let required = fields.filter(\.isRequired)
        if !required.isEmpty { form["required"] = .array(required.map { .string($0.name) }) }
        form["additionalProperties"] = .bool(unknown == .ignored)
        return .object(form)
    }
}
