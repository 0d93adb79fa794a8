package import HTTPTypes
package import JSON
package import NIOCore

/// A request that is authenticated, authorized and valid by the declaration of its endpoint.
package struct EndpointRequest<Principal: Sendable>: Sendable {
    /// The principal that sent the request.
    ///
    /// `nil` if the endpoint is open.
    package let principal: Principal?

    /// The decoded parameters of the path.
    package let parameters: [(name: String, value: String)]

    /// The parameters of the query, with defaults.
    package let query: Fields

    /// The members of the body.
    ///
    /// Empty if the body is not an object.
    package let body: Fields

    /// The body as JSON.
    ///
    /// `null` if the endpoint takes no body.
    package let json: JSONValue

    /// The bytes of the body, for fingerprints.
    ///
    /// Empty if the endpoint takes no body.
    package let rawBody: ByteBuffer

    /// The value of `Idempotency-Key`.
    ///
    /// `nil` if the client sent none or the endpoint does not read it.
    package let idempotencyKey: String?

    /// The method, target and header fields.
    package let head: HTTPRequest

    /// The path of the target, with percent-encoding.
    package let path: String

    /// The query of the target, with percent-encoding.
    package let rawQuery: String?

    /// The request id, the logger and the connection.
    package let context: MortiseRequestContext

    /// The header fields.
    package var headers: HTTPFields { head.headerFields }

    /// The principal that sent the request.
    ///
    /// Throws `Problem.unauthorized` if the endpoint is open.
    package var caller: Principal {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            return principal
        }
    }

    /// Returns a parameter of the path.
    ///
    /// Throws `FieldMismatch` if the endpoint does not declare the parameter.
    package func parameter(_ name: String) throws -> String {
        guard let value = parameters.first(where: { $0.name == name })?.value else { throw FieldMismatch(name: name) }
        return value
    }
}
