import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// Turns the frames of a stream into the parts of a request, with the limits that HTTP/1.1 has.
///
/// swift-nio has checked the pseudo headers, the names and the length of the body.
final class StreamRequestDecoder: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart

    /// The largest field, in bytes.
    static let maximumField = 16 * 1024
    /// The largest header section in bytes, as HPACK counts it.
    static let maximumHeaders = 64 * 1024
    /// The largest number of fields.
    static let maximumFields = 200

    private var hasHead = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            // Trailers are dropped.
            let head = hasHead ? nil : Self.head(headers.headers)
            let isMalformed = !hasHead && head == nil
            hasHead = true
            if let head { context.fireChannelRead(wrapInboundOut(.head(head))) }
            if headers.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
            // The answer to a fault depends on the end of the request.
            if isMalformed { context.fireErrorCaught(HTTPParserError.invalidHeaderToken) }
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data, bytes.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(.body(bytes)))
            }
            if data.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        default: break
        }
    }

    /// Returns the head of a request as HTTP/1.1 has it (RFC 9113 section 8.3.1), or `nil` if it breaks a rule.
    private static func head(_ fields: HPACKHeaders) -> HTTPRequestHead? {
        guard fields.count <= maximumFields else { return nil }
        var (method, path, authority) = ("", nil as String?, nil as String?)
        var headers = HTTPHeaders()
        headers.reserveCapacity(fields.count)
        var cookies: [String] = []
        for (name, value, _) in fields {
            guard name.utf8.count + value.utf8.count <= maximumField else { return nil }
            switch name {
            case ":method": method = value
            case ":path": path = value
            case ":authority": authority = value
            // A client can send its cookies apart (RFC 9113 section 8.2.3).
            case "cookie": cookies.append(value)
            default: if !name.hasPrefix(":") { headers.add(name: name, value: value) }
            }
        }
        if !cookies.isEmpty { headers.add(name: "cookie", value: cookies.joined(separator: "; ")) }
        // Another Host stays, so that the request can be refused.
        if let authority, headers["host"] != [authority] { headers.add(name: "host", value: authority) }
        let target = path ?? authority ?? ""
        // A path in the form of a URL would take the place of the authority.
        guard !method.isEmpty, path == nil || target.utf8.first == UInt8(ascii: "/") || target == "*" else {
            return nil
        }
        return HTTPRequestHead(version: .http2, method: HTTPMethod(rawValue: method), uri: target, headers: headers)
    }
}
