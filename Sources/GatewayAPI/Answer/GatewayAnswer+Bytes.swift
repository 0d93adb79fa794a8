package import NIOCore

extension GatewayAnswer {
    /// Writes the answer as HTTP/1.1.
    ///
    /// - Parameters:
    ///   - buffer: The buffer that receives the bytes.
    ///   - isHead: True for the answer to HEAD, which has the fields of the answer to GET and no body (RFC 9110 section 9.3.2).
    ///   - date: The value of `Date`.
    ///   - isLast: True if the connection ends after the answer.
    package func write(to buffer: inout ByteBuffer, isHead: Bool, date: String, isLast: Bool) {
        let body = isHead ? [] : self.body
        let start = self.start
        let statusLine = start == nil ? "HTTP/1.1 \(status) \(reasonPhrase)\r\n" : ""
        let fields = self.fields[(start?.fields.count ?? 0)...]
        let tail =
            self.body.isEmpty ? "Content-Length: 0\r\nDate: " : "Content-Length: \(self.body.count)\r\nDate: "
        let end = isLast ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n"
        // A colon, a space, and the two bytes of a line's end.
        let size =
            fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
            + (start?.bytes.count ?? statusLine.utf8.count) + tail.utf8.count + date.utf8.count + end.utf8.count
            + body.count
        // One check for space instead of four for each field.
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
            var rest = ByteSpace(space)
            if let start { rest.append(start.bytes) } else { rest.append(statusLine) }
            for field in fields {
                rest.append(field.name)
                rest.append(": ")
                rest.append(field.value)
                rest.append("\r\n")
            }
            rest.append(tail)
            rest.append(date)
            rest.append(end)
            rest.append(body)
            return rest.count
        }
    }
}

/// Memory that is filled from its beginning.
private struct ByteSpace {
    private let bytes: UnsafeMutableRawBufferPointer
    /// The number of bytes that are filled.
    private(set) var count = 0

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    mutating func append(_ more: [UInt8]) { more.withUnsafeBufferPointer { append($0) } }

    private mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyBytes(from: more)
        count += more.count
    }
}
