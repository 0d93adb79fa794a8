import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// The limits of a request's head, for HTTP/1.1 and HTTP/2.
enum HeadLimits {
    /// The largest size of the request line, or of a field, in bytes.
    ///
    /// As large as what the gateway listener takes, so that a gateway can send the same checks to both.
    static let field = 61_440
    /// The largest size of all fields in bytes, for HTTP/2 as HPACK counts it.
    static let bytes = 65_536
    /// The largest number of fields.
    static let fields = 200
}

/// Turns the frames of a stream into the parts of a request, with the limits that HTTP/1.1 has.
///
/// swift-nio has checked the pseudo headers, the names and the length of the body.
final class StreamRequestDecoder: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart

    private var hasHead = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            // Trailers are dropped.
            var fault: HTTPParserError?
            if !hasHead {
                hasHead = true
                do throws(HTTPParserError) {
                    context.fireChannelRead(wrapInboundOut(.head(try Self.head(headers.headers))))
                } catch {
                    fault = error
                }
            }
            if headers.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
            // The answer to a fault depends on the end of the request.
            if let fault { context.fireErrorCaught(fault) }
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data, bytes.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(.body(bytes)))
            }
            if data.endStream { context.fireChannelRead(wrapInboundOut(.end(nil))) }
        default: break
        }
    }

    /// Returns the head of a request as HTTP/1.1 has it (RFC 9113 section 8.3.1).
    ///
    /// - Throws: `headerOverflow` for a head that exceeds a limit, and `invalidHeaderToken` for one that breaks a rule.
    private static func head(_ fields: HPACKHeaders) throws(HTTPParserError) -> HTTPRequestHead {
        guard fields.count <= HeadLimits.fields else { throw .headerOverflow }
        var (method, path, authority) = ("", nil as String?, nil as String?)
        var headers = HTTPHeaders()
        headers.reserveCapacity(fields.count)
        var cookies: [String] = []
        for (name, value, _) in fields {
            guard name.utf8.count + value.utf8.count <= HeadLimits.field else { throw .headerOverflow }
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
            throw .invalidHeaderToken
        }
        return HTTPRequestHead(version: .http2, method: HTTPMethod(rawValue: method), uri: target, headers: headers)
    }
}
