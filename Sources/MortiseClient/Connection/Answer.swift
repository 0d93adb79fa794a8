import CivilTime
package import JSON
package import NIOCore
package import NIOHTTP1

/// The response of a server.
package struct Answer: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    package let body: ByteBuffer

    /// The body as JSON, or `nil` if the content type is not JSON or the body cannot be parsed.
    package var json: JSONValue? {
        let type = headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else { return nil }
        return try? JSONValue(
            parsing: Array(body.readableBytesView),
            limits: JSONLimits(maximumBytes: body.readableBytes, maximumDepth: 64)
        )
    }

    /// Returns the time to wait from `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3).
    ///
    /// - Parameter now: Seconds since 1970.
    /// - Returns: 0 to 24 hours, or `nil` without the header or with a malformed one.
    func retryAfter(now: Int) -> Duration? {
        guard let text = headers.first(name: "retry-after") else { return nil }
        if let seconds = Int(text), (0...86_400).contains(seconds) { return .seconds(seconds) }
        guard let time = HTTPDate.seconds(text, now: now) else { return nil }
        return .seconds(min(max(time - now, 0), 86_400))
    }
}
