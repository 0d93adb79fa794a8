package import Endpoints
package import HTTPTypes
import JSON
package import Keys
import NIOCore

extension EndpointResponse {
    /// Returns an answer with a new token: the stored JSON object, and the token as a further member.
    ///
    /// The object is stored without the token, and the token is not stored.
    package static func issued(
        _ answer: String,
        token: Token,
        as member: StaticString = "token",
        isReplay: Bool,
        status: HTTPResponse.Status
    ) -> EndpointResponse {
        var writer = JSONWriter(capacity: 128)
        writer.value(token.reveal())
        var body = ByteBuffer()
        body.reserveCapacity(answer.utf8.count + writer.bytes.count + 16)
        body.writeString(String(answer.dropLast()))
        body.writeString(",\"\(member)\":")
        body.writeBytes(writer.bytes)
        body.writeString("}")
        return EndpointResponse(status, body: body, headers: isReplay ? .replayed : [:])
    }

    /// Returns a stored answer.
    package static func stored(_ answer: String, isReplay: Bool, status: HTTPResponse.Status) -> EndpointResponse {
        EndpointResponse(status, body: ByteBuffer(string: answer), headers: isReplay ? .replayed : [:])
    }
}

extension HTTPFields {
    /// The field that marks an answer as the answer to an earlier request with the same `Idempotency-Key`.
    package static var replayed: HTTPFields {
        HTTPField.Name("Idempotent-Replayed").map { [$0: "true"] } ?? [:]
    }
}
