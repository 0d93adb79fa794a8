import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

extension HTTPRequest {
    /// Creates the head of a request from the decoder's.
    ///
    /// `nil` if the method is no token.
    init?(_ head: HTTPRequestHead) {
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
            scheme: "http",
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

extension HTTPResponseHead {
    /// Creates the encoder's head of an answer.
    init(_ response: HTTPResponse, date: String) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headerFields.count + 2)
        for field in response.headerFields { headers.add(name: field.name.rawName, value: field.value) }
        headers.add(name: "Date", value: date)
        self.init(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase),
            headers: headers
        )
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
