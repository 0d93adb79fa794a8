import Endpoints
import JSON
import Server
import Testing

@Suite struct SchemaOpenAPITests {
    @Test(
        arguments: [
            (.string(min: 1, max: 5), ["type": "string", "minLength": 1, "maxLength": 5]),
            (.string(.uuid), ["type": "string", "maxLength": 36, "format": "uuid"]),
            (.string(.slug), ["type": "string", "maxLength": 63, "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"]),
            (.oneOf("a", "b"), ["type": "string", "enum": ["a", "b"]]),
            (.integer(1...9), ["type": "integer", "minimum": 1, "maximum": 9]),
            (.number(nil), ["type": "number"]), (.boolean, ["type": "boolean"]),
            (.boolean.orNull, ["type": ["boolean", "null"]]),
            (.oneOf("a").orNull, ["anyOf": [["type": "string", "enum": ["a"]], ["type": "null"]]]),
            (.boolean.named("Flag").orNull, ["anyOf": [["$ref": "#/components/schemas/Flag"], ["type": "null"]]]),
            (.boolean.described("On?"), ["type": "boolean", "description": "On?"]),
            (.boolean.documentedOnly, ["type": "boolean"]),
            (.anyJSON(), [:]), (.anyJSON().orNull, [:]),
            (.anyObject(), ["type": "object", "additionalProperties": true]),
            (
                .array(of: .boolean, max: 3),
                ["type": "array", "items": ["type": "boolean"], "minItems": 0, "maxItems": 3]
            ),
            (
                .object([.required("a", .boolean), .optional("b", .boolean)]),
                [
                    "type": "object", "properties": ["a": ["type": "boolean"], "b": ["type": "boolean"]],
                    "required": ["a"], "additionalProperties": false,
                ]
            ),
            (.object([], unknown: .ignored), ["type": "object", "properties": [:], "additionalProperties": true]),
        ] as [(Schema, JSONValue)]
    )
    func `a schema has its OpenAPI form`(schema: Schema, form: JSONValue) {
        #expect(schema.openAPI() == form)
    }

    @Test func `components are found at every depth`() {
        let inner = Schema.boolean.named("Inner")
        let outer = Schema.object([.required("x", .array(of: inner.orNull.described("d"), max: 1))]).named("Outer")
        var names: [String] = []
        outer.checked { _ in nil }.documentedOnly.forEachComponent { name, _ in names.append(name) }
        #expect(names == ["Outer", "Inner"])
    }
}
