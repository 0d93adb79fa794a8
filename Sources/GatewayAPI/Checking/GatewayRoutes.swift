import NIOHTTP1

/// The paths that a gateway listener serves.
package struct GatewayRoutes: Sendable {
    /// The reply to a request.
    package enum Reply: Sendable {
        /// An answer that is known at once.
        case now(GatewayAnswer)
        /// An answer that must be waited for.
        case later(@Sendable () async -> GatewayAnswer)
    }

    /// The largest request line, in bytes.
    private static let maximumLine = 8192
    /// The bytes of a request line that are not its method and target: two spaces and the version.
    private static let lineOverhead = 10
    /// The largest header section, in bytes.
    static let maximumHeaders = 61_440

    let authorizer: Authorizer
    let readiness: @Sendable () async -> (text: String, isReady: Bool)

    /// Creates the routes.
    ///
    /// - Parameters:
    ///   - authorizer: Answers the checks.
    ///   - readiness: Returns the text of `/readyz`, and true if the service is ready.
    package init(_ authorizer: Authorizer, readiness: @escaping @Sendable () async -> (text: String, isReady: Bool)) {
        self.authorizer = authorizer
        self.readiness = readiness
    }

    /// Replies to CONNECT.
    ///
    /// A gateway asks about a client's CONNECT without its own path, so the request is no question, whatever its target looks like.
    func refuseConnect() -> Reply { .now(authorizer.refuse(.notFound)) }

    /// Replies to a request.
    func reply(to head: HTTPRequestHead, from peer: GatewayPeer) -> Reply {
        if let refusal = Self.refusal(of: head) { return .now(authorizer.refuse(refusal)) }
        if let asked = authorizer.read(head.uri, head.headers, from: peer) {
            return authorizer.reply(to: asked)
        }
        let path = head.uri.prefix { $0 != "?" }
        guard path == "/healthz" || path == "/readyz" else { return .now(authorizer.refuse(.notFound)) }
        guard head.method == .GET || head.method == .HEAD else { return .now(authorizer.refuse(.methodNotAllowed)) }
        guard path == "/readyz" else { return .now(.text("ok\n")) }
        return .later { [readiness] in
            let report = await readiness()
            return .text(report.text, status: report.isReady ? 200 : 503)
        }
    }

    /// Returns the answer to a head that is too large or has no host, or `nil` for any other.
    private static func refusal(of head: HTTPRequestHead) -> GatewayAnswer? {
        let line = head.method.rawValue.utf8.count + head.uri.utf8.count + lineOverhead
        if line > maximumLine { return .targetTooLong }
        var size = 0
        var hosts = 0
        for (name, value) in head.headers {
            // Each line has a colon, a space, and the two bytes of its end.
            size += name.utf8.count + value.utf8.count + 4
            if name.utf8.count == 4, name.utf8.elementsEqual("host".utf8, by: { $0 | 0x20 == $1 }) { hosts += 1 }
        }
        if size > maximumHeaders { return .headersTooLarge }
        // HTTP/1.0 has no Host.
        if head.version.minor > 0, hosts != 1 { return .invalidHost }
        return nil
    }
}
