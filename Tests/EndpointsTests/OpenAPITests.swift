import Endpoints
import HTTPTypes
import JSON
import Server
import Testing

@Suite struct OpenAPITests {
    private static let info = OpenAPIInfo(
        title: "Sample",
        version: "1",
        description: "A sample.",
        tags: [("Keys", "Keys."), ("API", "This.")]
    )

    private func document() throws -> JSONValue { try SampleTable.make().openAPI(Self.info) }

    @Test func `the document has every documented operation with its declaration`() throws {
        let document = try document()
        #expect(document["openapi"] == "3.1.0")
        #expect(document["tags"]?.array?.count == 2)
        for endpoint in SampleTable.make().endpoints where endpoint.isDocumented {
            let operations = document["paths"]?.object?.members.compactMap { $0.value.object }.flatMap(\.members) ?? []
            let operation = try #require(operations.first { $0.value["operationId"]?.string == endpoint.operationID })
            for kind in endpoint.allProblems {
                #expect(
                    operation.value["responses"]?[kind.status.code.description] != nil,
                    "\(endpoint.operationID) \(kind)"
                )
            }
            #expect((operation.value["requestBody"] != nil) == (endpoint.body != nil))
            #expect((operation.value["security"] == []) == (endpoint.access == .open))
        }
    }

    @Test func `an operation documents everything that follows from its declaration`() throws {
        let operation = try #require(try document()["paths"]?["/v1/workspaces/{workspace}/keys"]?["post"])
        #expect(operation["parameters"]?.array?.compactMap { $0["name"] } == ["workspace", "Idempotency-Key"])
        #expect(operation["requestBody"]?["required"] == true)
        #expect(operation["description"]?.string?.contains("`keys:write`") == true)
        let statuses = operation["responses"]?.object?.members.map(\.name) ?? []
        #expect(
            Set(statuses) == [
                "201", "400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "500", "503",
            ]
        )
        #expect(
            operation["responses"]?["201"]?["content"]?["application/json"]?["schema"] == [
                "$ref": "#/components/schemas/Key"
            ]
        )
        for (status, headers) in [
            ("401", ["X-Request-Id", "WWW-Authenticate"]), ("409", ["X-Request-Id", "Retry-After"]),
            ("429", ["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"]),
            ("503", ["X-Request-Id", "Retry-After"]),
        ] {
            let documented = operation["responses"]?[status]?["headers"]?.object?.members.map(\.name)
            #expect(documented == headers, "\(status)")
        }
        let list = try document()["paths"]?["/v1/workspaces/{workspace}/keys"]?["get"]
        #expect(
            list?["parameters"]?.array?[1]["schema"] == [
                "type": "integer", "minimum": 1, "maximum": 100, "default": 50,
            ]
        )
        #expect(try document()["paths"]?["/v1/authorize/{id}/{rest}"]?["get"] != nil)
    }

    @Test func `every reference has a target`() throws {
        let document = try document()
        let schemas = try #require(document["components"]?["schemas"]?.object)
        func references(_ value: JSONValue) -> [String] {
            switch value {
            case .array(let elements): elements.flatMap(references)
            case .object(let object):
                object.members.flatMap { member in
                    member.name == "$ref" ? [member.value.string ?? ""] : references(member.value)
                }
            default: []
            }
        }
        let found = references(document)
        #expect(found.contains("#/components/schemas/Problem"))
        for reference in found {
            #expect(schemas[String(reference.dropFirst("#/components/schemas/".count))] != nil, "\(reference)")
        }
    }

    @Test func `two schemas with the same name are a conflict`() {
        let table = SampleTable.make()
            .adding([
                Endpoint(
                    .get,
                    "/v1/x",
                    id: "x",
                    tag: "T",
                    summary: "X",
                    access: .open,
                    responses: [EndpointResult(.ok, "X.", Schema.boolean.named("Key"))]
                ) { _ in .noContent }
            ])
        let error = #expect(throws: OpenAPIComponentConflict.self) { try table.openAPI(Self.info) }
        #expect(error?.name == "Key")
    }

    @Test func `the served document describes itself`() throws {
        let table = try SampleTable.make().servingOpenAPI(at: "/openapi.json", Self.info)
        #expect(table.declarationFaults == [])
        #expect(try table.openAPI(Self.info)["paths"]?["/openapi.json"]?["get"]?["operationId"] == "getOpenAPI")
    }
}
