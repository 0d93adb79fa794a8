import HTTPTypes
import JSON
import NIOCore

extension EndpointTable {
    /// Returns the table with an endpoint `GET path` that serves the document of all endpoints, including itself.
    ///
    /// Throws if two schemas have the same component name.
    package func servingOpenAPI(at path: String, _ info: OpenAPIInfo) throws(OpenAPIComponentConflict) -> EndpointTable
    {
        let undescribed = adding([Self.documentEndpoint(path, tag: info.tags.first?.name ?? "API", ByteBuffer())])
        var writer = JSONWriter(capacity: 65_536)
        writer.value(try undescribed.openAPI(info))
        return adding([
            Self.documentEndpoint(path, tag: info.tags.first?.name ?? "API", ByteBuffer(bytes: writer.bytes))
        ])
    }

    private static func documentEndpoint(_ path: String, tag: String, _ document: ByteBuffer) -> Endpoint<Principal> {
        Endpoint(
            .get,
            path,
            id: "getOpenAPI",
            tag: tag,
            summary: "Get the description of this API.",
            access: .open,
            query: .ignored,
            responses: [EndpointResult(.ok, "This document.", .anyObject(maximumBytes: 1_048_576))],
            deadline: nil,
            logsAccess: false
        ) { _ in EndpointResponse(.ok, body: document) }
    }
}
