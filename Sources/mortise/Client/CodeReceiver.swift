import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// A listener on the loopback that receives the code of a sign-in from the browser (RFC 8252 section 7.3).
///
/// Other programs and pages of the browser can connect too. Only a request that has the state counts, and the state is known to the page
/// that this program's user has opened. The code alone is worth nothing without the verifier, which never leaves this program.
final class CodeReceiver: Sendable {
    /// The port.
    let port: Int
    private let channel: any Channel
    private let codes: AsyncStream<String>

    private init(_ channel: any Channel, port: Int, codes: AsyncStream<String>) {
        self.channel = channel
        self.port = port
        self.codes = codes
    }

    /// Listens on a free port.
    ///
    /// - Parameter state: The text that a request must repeat.
    /// - Returns: The listener, which the caller closes.
    /// - Throws: `CommandFailure` if this machine does not allow it.
    static func listen(state: String) async throws -> CodeReceiver {
        let (codes, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1))
        do {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(CodeHandler(state: state, codes: continuation))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            guard let port = channel.localAddress?.port else {
                try await channel.close()
                throw CommandFailure(
                    .unreachable,
                    "This machine has no port for the browser's answer.",
                    details: ["Sign in without --browser."]
                )
            }
            return CodeReceiver(channel, port: port, codes: codes)
        } catch let error as CommandFailure {
            throw error
        } catch {
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
            throw CommandFailure(
                .unreachable,
                "This machine has no port for the browser's answer: \(reason).",
                details: ["Sign in without --browser."]
            )
        }
    }

    /// Returns the first code, or `nil` if the task is cancelled.
    func code() async -> String? {
        for await code in codes { return code }
        return nil
    }

    /// Stops listening.
    func close() async { try? await channel.close() }
}

/// Reads the requests of one connection.
private final class CodeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: String
    private let codes: AsyncStream<String>.Continuation
    private var head: HTTPRequestHead?

    init(state: String, codes: AsyncStream<String>.Continuation) {
        self.state = state
        self.codes = codes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            let code = code(head, port: context.channel.localAddress?.port ?? 0)
            answer(code != nil, context)
            if let code { codes.yield(code) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Returns the code of a request of the console's page, or `nil` for any other request.
    private func code(_ head: HTTPRequestHead, port: Int) -> String? {
        // A page whose host name was made to lead here has another `Host`.
        guard head.method == .GET, head.headers["Host"] == ["127.0.0.1:\(port)"], head.uri.hasPrefix("/?") else {
            return nil
        }
        var fields: [Substring: Substring] = [:]
        for pair in head.uri.dropFirst(2).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, fields.updateValue(parts[1], forKey: parts[0]) == nil else { return nil }
        }
        guard let code = fields["code"], let state = fields["state"], String(state) == self.state,
            code.utf8.count <= 512
        else { return nil }
        return String(code)
    }

    private func answer(_ isGood: Bool, _ context: ChannelHandlerContext) {
        let text =
            isGood
            ? "<!doctype html><title>Mortise</title><h1>You can close this page</h1><p>Go back to the terminal.</p>"
            : "<!doctype html><title>Mortise</title><h1>Nothing to see here</h1>"
        let headers: HTTPHeaders = [
            "Content-Type": "text/html; charset=utf-8", "Content-Length": "\(text.utf8.count)",
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
            "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: isGood ? .ok : .notFound, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
