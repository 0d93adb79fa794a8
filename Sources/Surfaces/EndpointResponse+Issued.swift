package import Endpoints
package import HTTPTypes
import JSON
package import Keys
import NIOCore

extension EndpointResponse {
    /// An answer that hands a token out: a stored JSON object with `token`, or what a dialect calls it, as one more member.
    ///
    /// The object is stored without its token, and the token is not stored at all.
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

    /// An answer that is stored as it is.
    package static func stored(_ answer: String, isReplay: Bool, status: HTTPResponse.Status) -> EndpointResponse {
        EndpointResponse(status, body: ByteBuffer(string: answer), headers: isReplay ? .replayed : [:])
    }
}

extension HTTPFields {
    /// Says that an earlier request made the answer.
    package static var replayed: HTTPFields {
        HTTPField.Name("Idempotent-Replayed").map { [$0: "true"] } ?? [:]
    }
}
