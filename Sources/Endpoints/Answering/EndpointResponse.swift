package import HTTPTypes
import Hummingbird
package import JSON
package import NIOCore

/// The answer of an operation.
package struct EndpointResponse: Sendable {
    /// The status.
    package var status: HTTPResponse.Status

    /// The header fields, in addition to those of every answer of the table.
    package var headers: HTTPFields

    /// The bytes of the body.
    ///
    /// `nil` without a body.
    package let body: ByteBuffer?

    /// The media type of the body.
    package let mediaType: String

    /// Creates an answer from bytes.
    package init(
        _ status: HTTPResponse.Status,
        body: ByteBuffer? = nil,
        mediaType: String = "application/json",
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.mediaType = mediaType
    }

    /// Returns an answer with a JSON value.
    package static func json(
        _ value: some JSONWritable,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> EndpointResponse {
        var writer = JSONWriter()
        writer.value(value)
        return EndpointResponse(status, body: ByteBuffer(bytes: writer.bytes), headers: headers)
    }

    /// Returns an answer with a JSON object, whose members the closure writes.
    package static func object<E: Error>(
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:],
        _ members: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> EndpointResponse {
        var writer = JSONWriter()
        try writer.object(members)
        return EndpointResponse(status, body: ByteBuffer(bytes: writer.bytes), headers: headers)
    }

    /// Returns an answer with a page of a list: `data` and `next_cursor`.
    package static func page(_ elements: [some JSONWritable], nextCursor: String?) -> EndpointResponse {
        var writer = JSONWriter(capacity: 4096)
        writer.object {
            $0.member("data", elements)
            $0.member("next_cursor", nextCursor)
        }
        return EndpointResponse(.ok, body: ByteBuffer(bytes: writer.bytes))
    }

    /// Returns an answer with a JSON value that can be long, which the closure writes on a thread of the system's pool.
    ///
    /// The thread of a request serves the requests of all tenants, and a list of 8 MiB takes tens of milliseconds.
    ///
    /// - Parameters:
    ///   - room: The bytes that the answer will need. Each time that a long answer outgrows its room, all of it is copied.
    ///   - write: Writes the value.
    /// - Returns: The answer.
    package static func long(
        room: Int = 65_536,
        _ write: @Sendable (inout JSONWriter) -> Void
    ) async -> EndpointResponse {
        await withTaskExecutorPreference(globalConcurrentExecutor) {
            var writer = JSONWriter(capacity: room)
            write(&writer)
            return EndpointResponse(.ok, body: ByteBuffer(bytes: writer.bytes))
        }
    }

    /// The answer 204 without a body.
    package static let noContent = EndpointResponse(.noContent)

    /// Returns an answer with plain text.
    package static func text(_ text: String, status: HTTPResponse.Status = .ok) -> EndpointResponse {
        EndpointResponse(status, body: ByteBuffer(string: text), mediaType: "text/plain; charset=utf-8")
    }

    /// Returns the answer as Hummingbird's type.
    ///
    /// `common` are the fields that every answer of the table has.
    func response(common: HTTPFields) -> Response {
        var fields = common
        fields.append(contentsOf: headers)
        guard let body else {
            // RFC 9110 section 8.6 forbids Content-Length with 204; Hummingbird would add it to an empty body.
            var response = Response(status: status, headers: fields)
            if status == .noContent { response.headers[.contentLength] = nil }
            return response
        }
        fields.append(HTTPField(name: .contentType, value: mediaType))
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: body))
    }
}
