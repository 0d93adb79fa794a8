import AsyncHTTPClient
import HTTPTypes
package import JSON
import NIOCore
import NIOHTTP1
package import Testing

/// An answer of a server.
package struct Answer: Sendable, CustomStringConvertible {
    package let status: Int
    package let headers: [String: String]
    package let text: String

    package init(status: Int, headers: [String: String], text: String) {
        self.status = status
        self.headers = headers
        self.text = text
    }

    /// The body as JSON.
    ///
    /// `null` if the body is not JSON.
    package var json: JSONValue {
        (try? JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: 8 << 20))) ?? .null
    }

    /// The member of the body at a path of names.
    package subscript(_ names: String...) -> JSONValue? {
        names.reduce(json as JSONValue?) { $0?[$1] }
    }

    /// The stable code of a problem or a verdict.
    package var code: String? { self["code"]?.string }

    /// The locations of the faults of a problem, in order.
    package var pointers: [String] {
        (self["errors"]?.array ?? [])
            .compactMap { $0["pointer"]?.string ?? $0["parameter"]?.string ?? $0["header"]?.string }
    }

    /// The body without the request id, which is different in each answer.
    package var comparable: JSONValue {
        guard case .object(var object) = json else { return .string(text) }
        object["request_id"] = nil
        return .object(object)
    }

    /// The body with all members sorted by name.
    ///
    /// The database may change the order of the members of a stored answer.
    package var inOrder: JSONValue { Self.inOrder(json) }

    private static func inOrder(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            let members = object.members.sorted { $0.name < $1.name }
            return .object(JSONObject(members.map { ($0.name, inOrder($0.value)) }))
        case .array(let elements): return .array(elements.map(inOrder))
        default: return value
        }
    }

    package var description: String { "\(status) \(text)" }

    /// Returns a member, which must be a string.
    package func string(_ names: String..., at location: SourceLocation = #_sourceLocation) throws -> String {
        let value = names.reduce(json as JSONValue?) { $0?[$1] }
        return try #require(value?.string, "no text at \(names) in \(self)", sourceLocation: location)
    }
}
