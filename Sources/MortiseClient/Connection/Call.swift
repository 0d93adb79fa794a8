package import JSON
package import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One request to a surface of the server.
package struct Call: Sendable {
    /// The dialect of a request and its response.
    package enum Surface: Sendable {
        case native
        case fluxbase
        case clerk
        case boltz
    }

    package var surface = Surface.native
    package var method: HTTPMethod
    /// The segments of the path, not percent-encoded.
    package var path: [String]
    package var query: [(name: String, value: String)] = []
    package var body: JSONValue?
    /// The `Idempotency-Key` of a creation, with which a repeated request creates nothing twice.
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

    /// True if a second request with the same content changes nothing more.
    package var isSafeToRepeat: Bool { isRead || idempotencyKey != nil }

    /// True if the request changes nothing.
    package var isRead: Bool { method == .GET }

    /// Returns the call for another surface.
    func of(_ surface: Surface) -> Call {
        var call = self
        call.surface = surface
        return call
    }

    /// Returns an idempotency key that was not used before.
    static func newIdempotencyKey() -> String { UUID().uuidString.lowercased() }
}
