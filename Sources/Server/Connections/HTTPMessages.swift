import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

extension HTTPRequest {
    /// Creates the head of a request from the decoder's.
    ///
    /// `nil` if the method is no token.
    init?(_ head: HTTPRequestHead, scheme: String) {
        guard let method = Method(head.method) else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        var host: String?
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { return nil }
            // A second Host stays among the fields, so that the request can be refused (RFC 9112 section 3.2).
            if host == nil, name.canonicalName == "host" {
                host = value
            } else {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        let target = Target(head.uri)
        self.init(
            method: method,
            scheme: scheme,
            authority: target.authority ?? host,
            path: target.path,
            headerFields: fields
        )
    }

    /// The parts of a request target (RFC 9112 section 3.2).
    private struct Target {
        /// The authority of a target in absolute form, which takes the place of Host.
        var authority: String?
        var path: String

        init(_ target: String) {
            path = target
            guard target.utf8.first != UInt8(ascii: "/"), let scheme = target.utf8.firstRange(of: "://".utf8)
            else { return }
            let rest = target[scheme.upperBound...]
            let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            authority = String(rest[..<end])
            path = rest[end...].utf8.first == UInt8(ascii: "/") ? String(rest[end...]) : "/" + rest[end...]
        }
    }
}

extension HTTPRequest.Method {
    fileprivate init?(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .POST: self = .post
        case .PUT: self = .put
        case .PATCH: self = .patch
        case .DELETE: self = .delete
        case .HEAD: self = .head
        case .OPTIONS: self = .options
        default: self.init(method.rawValue)
        }
    }
}

extension HTTPResponse {
    /// True if the answer says that it is the last one.
    var saysClose: Bool { headerFields.contains { $0.name == .connection && $0.value == "close" } }
}

extension ByteBuffer {
    /// Writes the head of an answer (RFC 9112 section 4).
    ///
    /// HTTPTypes lets no line end into a field.
    ///
    /// - Parameters:
    ///   - response: The head.
    ///   - length: The length of the body, for an answer that must say it and does not.
    ///   - date: The value of `Date`.
    ///   - isLast: True if the connection ends after the answer.
    mutating func write(_ response: HTTPResponse, length: Int, date: String, isLast: Bool) {
        if response.status == .ok {
            writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            writeString("HTTP/1.1 \(response.status.code) \(response.status.reasonPhrase)\r\n")
        }
        var hasLength = [204, 304].contains(response.status.code)
        for field in response.headerFields where field.name != .connection {
            if field.name == .contentLength { hasLength = true }
            writeString(field.name.rawName)
            writeStaticString(": ")
            writeString(field.value)
            writeStaticString("\r\n")
        }
        if !hasLength { writeString("Content-Length: \(length)\r\n") }
        writeStaticString("Date: ")
        writeString(date)
        writeStaticString(isLast ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n")
    }
}

/// Gathers the bytes of an answer's body.
final class GatheredBody: ResponseBodyWriter {
    private var bytes: ByteBuffer?

    private init() {}

    /// Returns the whole body of an answer, or `nil` if it has none.
    static func bytes(of body: ResponseBody) async throws -> ByteBuffer? {
        guard body.contentLength != 0 else { return nil }
        let gathered = GatheredBody()
        try await body.write(gathered)
        return gathered.bytes
    }

    func write(_ buffer: ByteBuffer) {
        var buffer = buffer
        if bytes == nil { bytes = buffer } else { bytes?.writeBuffer(&buffer) }
    }

    func finish(_ trailingHeaders: HTTPFields?) {}
}
