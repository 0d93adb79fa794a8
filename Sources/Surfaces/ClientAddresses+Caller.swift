package import Endpoints
import HTTPTypes
import Keys
import NIOCore
package import Service

extension ClientAddresses {
    /// Returns the caller of a use case: the principal, its address and the request id.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - principal: The principal that sent the request.
    ///   - path: The path for the fingerprint of `Idempotency-Key`, with ids in place of slugs, so that both names of a workspace
    ///     count as the same. Without a path, the key is not used.
    /// - Returns: The caller.
    package func caller<P: Sendable>(
        _ request: EndpointRequest<P>,
        as principal: Principal,
        path: String? = nil
    ) -> Caller {
        let idempotency = path.flatMap { path in
            request.idempotencyKey.map { key in
                IdempotentRequest(
                    key: key,
                    method: request.head.method.rawValue,
                    path: path,
                    query: request.rawQuery ?? "",
                    body: Array(request.rawBody.readableBytesView)
                )
            }
        }
        return Caller(
            principal: principal,
            address: address(request.headers, request.context.remoteAddress)?.description,
            requestID: request.context.requestID,
            idempotency: idempotency
        )
    }
}
