package import NIOCore

/// An answer of the server, as much of it as the load tool needs.
package struct BenchAnswer: Sendable, Equatable {
    /// The status.
    package let status: Int
    /// The body.
    package let body: ByteBuffer
    /// True if the server closes the connection after the answer.
    package let closes: Bool
}

/// An answer that the load tool cannot read.
package enum BenchAnswerFault: Error, Sendable {
    /// The bytes are no HTTP/1.1 answer with a `Content-Length`.
    case notHTTP
}

/// Reads answers from the bytes of a connection.
///
/// It reads what Mortise sends: HTTP/1.1 with a `Content-Length`. A general parser would take more of the processor than the rest
/// of the load generator.
package struct AnswerParser {
    private var received = ByteBuffer()

    /// Creates a parser.
    package init() {}

    /// Adds bytes from the connection.
    package mutating func receive(_ bytes: inout ByteBuffer) {
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
    }

    /// Returns the next whole answer, or `nil` if bytes are missing.
    package mutating func next() throws(BenchAnswerFault) -> BenchAnswer? {
        let view = received.readableBytesView
        guard let head = Self.lengthOfHead(view) else {
            guard view.count < 64 * 1024 else { throw .notHTTP }
            return nil
        }
        // HTTP/1.1 200 OK
        guard head >= 16, view.starts(with: Self.version) else { throw .notHTTP }
        var status = 0
        for byte in view[(view.startIndex + 9)..<(view.startIndex + 12)] {
            guard (0x30...0x39).contains(byte) else { throw .notHTTP }
            status = status * 10 + Int(byte - 0x30)
        }
        let fields = view[view.startIndex..<(view.startIndex + head)]
        var length = 0
        if status != 204 {
            guard let value = Self.value(of: Self.contentLength, in: fields) else { throw .notHTTP }
            for byte in value {
                guard (0x30...0x39).contains(byte), length < 1 << 30 else { throw .notHTTP }
                length = length * 10 + Int(byte - 0x30)
            }
        }
        guard view.count >= head + length else { return nil }
        let closes = Self.value(of: Self.connection, in: fields)?.elementsEqual("close".utf8) ?? false
        received.moveReaderIndex(forwardBy: head)
        guard let body = received.readSlice(length: length) else { throw .notHTTP }
        if received.readableBytes == 0 { received = ByteBuffer() }
        return BenchAnswer(status: status, body: body, closes: closes)
    }

    private static let version = Array("HTTP/1.1 ".utf8)
    private static let contentLength = Array("content-length:".utf8)
    private static let connection = Array("connection:".utf8)

    /// Returns the length of the head with the empty line behind it.
    private static func lengthOfHead(_ view: ByteBufferView) -> Int? {
        var matched = 0
        for (offset, byte) in view.enumerated() {
            let wanted: UInt8 = matched % 2 == 0 ? 0x0D : 0x0A
            if byte == wanted {
                matched += 1
                if matched == 4 { return offset + 1 }
            } else {
                matched = byte == 0x0D ? 1 : 0
            }
        }
        return nil
    }

    /// Returns the value of a field, whose name is in lower case with its colon, without blanks.
    private static func value(of name: [UInt8], in head: ByteBufferView) -> ByteBufferView? {
        var line = head.startIndex
        while let end = head[line...].firstIndex(of: 0x0D), end > line {
            let bytes = head[line..<end]
            if bytes.count >= name.count, zip(bytes, name).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 }) {
                return bytes[(line + name.count)...].drop { $0 == 0x20 }
            }
            line = end + 2
            if line >= head.endIndex { return nil }
        }
        return nil
    }
}
