package import NIOCore
import NIOHTTP1

extension GatewayAnswer {
    /// Writes the answer as HTTP/1.1.
    ///
    /// - Parameters:
    ///   - buffer: The buffer that receives the bytes.
    ///   - isHead: True for the answer to HEAD, which has the fields of the answer to GET and no body (RFC 9110 section 9.3.2).
    ///   - date: The value of `Date`.
    ///   - isLast: True if the connection ends after the answer.
    package func write(to buffer: inout ByteBuffer, isHead: Bool, date: String, isLast: Bool) {
        buffer.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        for field in fields {
            buffer.writeString(field.name)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeString("Content-Length: \(body.count)\r\nDate: \(date)\r\n")
        if isLast { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        if !isHead { buffer.writeBytes(body) }
    }
}
