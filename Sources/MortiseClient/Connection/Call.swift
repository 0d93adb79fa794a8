import FoundationEssentials
package import JSON
package import NIOHTTP1

/// A call of one of the server's surfaces.
package struct Call: Sendable {
    /// Whose shapes the call and its answer have.
    package enum Surface: Sendable {
        case native
        case fluxbase
        case clerk
        case boltz
    }

    package var surface = Surface.native
    package var method: HTTPMethod
    /// The segments of the path, not yet encoded.
    package var path: [String]
    package var query: [(name: String, value: String)] = []
    package var body: JSONValue?
    /// Sent with what makes something, so that a repetition after a broken connection makes it once.
    package var idempotencyKey: String?

    package static func get(_ path: [String], query: [(name: String, value: String)] = []) -> Call {
        Call(method: .GET, path: path, query: query)
    }

    package static func post(_ path: [String], _ body: JSONObject? = nil, idempotencyKey: String? = nil) -> Call {
        Call(method: .POST, path: path, body: body.map(JSONValue.object), idempotencyKey: idempotencyKey)
    }

    package static func put(_ path: [String], _ body: JSONObject) -> Call {
        Call(method: .PUT, path: path, body: .object(body))
    }

    package static func patch(_ path: [String], _ body: JSONObject) -> Call {
        Call(method: .PATCH, path: path, body: .object(body))
    }

    package static func delete(_ path: [String]) -> Call {
        Call(method: .DELETE, path: path)
    }

    /// Whether sending it twice does nothing that sending it once would not.
    package var isSafeToRepeat: Bool { isRead || idempotencyKey != nil }

    /// Whether it changes nothing.
    package var isRead: Bool { method == .GET }

    /// The same call of another surface.
    func of(_ surface: Surface) -> Call {
        var call = self
        call.surface = surface
        return call
    }

    /// A key that nobody has used before.
    static func newIdempotencyKey() -> String { UUID().uuidString.lowercased() }
}
