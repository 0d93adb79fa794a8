import CivilTime
package import JSON
package import NIOCore
package import NIOHTTP1

/// What a server answered.
package struct Answer: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    package let body: ByteBuffer

    /// The body as JSON, when it says that it is JSON and is.
    package var json: JSONValue? {
        let type = headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else { return nil }
        return try? JSONValue(
            parsing: Array(body.readableBytesView),
            limits: JSONLimits(maximumBytes: body.readableBytes, maximumDepth: 64)
        )
    }

    /// How long the server asks to wait, from `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
    func retryAfter(now: Int) -> Duration? {
        guard let text = headers.first(name: "retry-after") else { return nil }
        if let seconds = Int(text), (0...86_400).contains(seconds) { return .seconds(seconds) }
        guard let time = HTTPDate.seconds(text, now: now) else { return nil }
        return .seconds(min(max(time - now, 0), 86_400))
    }
}
