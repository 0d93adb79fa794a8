import JSON
import NIOCore
import NIOHTTP1

/// What a server answered.
struct APIAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: ByteBuffer

    /// The body as JSON, when it says that it is JSON and is.
    var json: JSONValue? {
        let type = headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased() ?? ""
        guard type == "application/json" || type.hasSuffix("+json") else { return nil }
        return try? JSONValue(
            parsing: Array(body.readableBytesView),
            limits: JSONLimits(maximumBytes: body.readableBytes, maximumDepth: 64)
        )
    }
}
