package import HTTPTypes
package import JSON
package import NIOCore

/// A request that has passed everything its endpoint declares.
package struct EndpointRequest<Principal: Sendable>: Sendable {
    /// Whoever calls; `nil` where the endpoint is open.
    package let principal: Principal?

    /// The decoded parameters of the path.
    package let parameters: [(name: String, value: String)]

    /// The query, defaults included.
    package let query: Fields

    /// The members of the body; none where the body is no object.
    package let body: Fields

    /// The body; `null` where the endpoint takes none.
    package let json: JSONValue

    /// The body as it came, for fingerprints.
    package let rawBody: ByteBuffer

    /// The value of `Idempotency-Key`, where the endpoint reads it and the client sent it.
    package let idempotencyKey: String?

    /// Method, target and header fields.
    ///
    /// The body has been read.
    package let head: HTTPRequest

    /// The path of the target, not decoded.
    package let path: String

    /// The query of the target, not decoded.
    package let rawQuery: String?

    /// Request id, logger, peer.
    package let context: MortiseRequestContext

    /// The header fields.
    package var headers: HTTPFields { head.headerFields }

    /// Whoever calls.
    ///
    /// Open endpoints have nobody here: they throw `Problem.unauthorized`.
    package var caller: Principal {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            return principal
        }
    }

    /// A parameter of the path that the endpoint declares.
    package func parameter(_ name: String) throws -> String {
        guard let value = parameters.first(where: { $0.name == name })?.value else { throw FieldMismatch(name: name) }
        return value
    }
}
