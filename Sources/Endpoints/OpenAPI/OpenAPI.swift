package import JSON

/// The description of the service as a whole in an OpenAPI document.
package struct OpenAPIInfo: Sendable {
    /// The name of the service.
    package var title: String

    /// The version of the API.
    package var version: String

    /// A text for readers.
    package var description: String

    /// The headings of the operations, in the order of the document, each with a description.
    package var tags: [(name: String, description: String)]

    /// Creates the description.
    package init(title: String, version: String, description: String, tags: [(name: String, description: String)] = [])
    {
        self.title = title
        self.version = version
        self.description = description
        self.tags = tags
    }
}

/// The error that two different schemas have the same component name.
package struct OpenAPIComponentConflict: Error, Equatable {
    /// The component name.
    package let name: String
}

extension EndpointTable {
    /// Returns the OpenAPI 3.1 document of the documented operations.
    ///
    /// Throws if two schemas have the same component name.
    package func openAPI(_ info: OpenAPIInfo) throws(OpenAPIComponentConflict) -> JSONValue {
        var components = OpenAPIComponents()
        var paths = JSONObject()
        for endpoint in endpoints where endpoint.isDocumented {
            try components.collect(from: endpoint)
            var operations = paths[endpoint.path.openAPIPath]?.object ?? JSONObject()
            operations[endpoint.documentedMethod] = endpoint.openAPI()
            paths[endpoint.path.openAPIPath] = .object(operations)
        }
        let tags = info.tags.map { tag in
            ["name": .string(tag.name), "description": .string(tag.description)] as JSONValue
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": .string(info.title), "version": .string(info.version),
                "description": .string(info.description),
            ],
            "servers": [["url": "/"]],
            "tags": .array(tags),
            "paths": .object(paths),
            "components": [
                "schemas": .object(components.schemas),
                "securitySchemes": [
                    "bearer": [
                        "type": "http", "scheme": "bearer",
                        "description": "An operator key, an admin key or a member's session token.",
                    ]
                ],
            ],
        ]
    }
}

/// The named schemas of a document.
private struct OpenAPIComponents {
    var schemas = JSONObject()

    mutating func collect<Principal>(from endpoint: Endpoint<Principal>) throws(OpenAPIComponentConflict) {
        try collect(Problem.schema)
        if let body = endpoint.body { try collect(body.schema) }
        for result in endpoint.responses {
            if let schema = result.schema { try collect(schema) }
        }
    }

    private mutating func collect(_ schema: Schema) throws(OpenAPIComponentConflict) {
        var conflict: OpenAPIComponentConflict?
        schema.forEachComponent { name, schema in
            let form = schema.openAPI()
            if let known = schemas[name], known != form { conflict = OpenAPIComponentConflict(name: name) }
            schemas[name] = form
        }
        if let conflict { throw conflict }
    }
}
