import HTTPTypes
package import Hummingbird

/// A part of the path space that belongs to one surface.
package struct Mount: Sendable {
    /// The path that the surface's paths begin with, such as `/v1`.
    ///
    /// `/` contains all paths.
    package let prefix: String

    /// The cross-origin requests that browsers permit.
    ///
    /// `nil` for a surface without browsers.
    package var crossOrigin: CrossOriginPolicy?

    /// The query parameter that lets a POST stand for another method, for clients that can send only GET and POST.
    package var methodParameter: String?

    /// Answers requests under the prefix that the router found no operation for.
    package let respond: @Sendable (Request, MortiseRequestContext) async -> Response

    /// Creates a mount.
    package init(
        prefix: String,
        respond: @escaping @Sendable (Request, MortiseRequestContext) async -> Response
    ) {
        self.prefix = prefix
        self.respond = respond
    }

    /// True if requests must be examined before they are routed.
    var hasOptions: Bool { crossOrigin != nil || methodParameter != nil }

    /// Returns true if the path is the prefix, or continues the prefix after a slash.
    ///
    /// Several slashes count as one, as in the router.
    func contains(_ path: String) -> Bool {
        guard prefix != "/" else { return true }
        guard !path.utf8.starts(with: prefix.utf8) else {
            return path.utf8.count == prefix.utf8.count || Self.hasSlash(path, at: prefix.utf8.count)
        }
        guard path.contains("//") else { return false }
        let parts = path.split(separator: "/")
        let own = prefix.split(separator: "/")
        return parts.starts(with: own)
    }

    private static func hasSlash(_ path: String, at offset: Int) -> Bool {
        path.utf8.dropFirst(offset).first == UInt8(ascii: "/")
    }

    /// The methods that a POST can stand for.
    ///
    /// HEAD is not among them, because its answer has no body, and the sender of a POST waits for a body.
    private static let overriding: Set<HTTPRequest.Method> = [.get, .put, .patch, .delete]

    /// Returns the request with the method that its query names, or `nil` if the query names none.
    func overridden(_ request: Request) -> Request? {
        guard let methodParameter, request.method == .post, let query = request.uri.query else { return nil }
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0] == methodParameter, let method = HTTPRequest.Method(String(parts[1])),
                Self.overriding.contains(method)
            else { continue }
            var head = request.head
            head.method = method
            return Request(head: head, body: request.body)
        }
        return nil
    }
}
