package import Endpoints
import HTTPTypes
import Keys
import NIOCore
package import Service

extension ClientAddresses {
    /// Who asks, from where, under which id; with a path also the request's `Idempotency-Key`.
    ///
    /// The path has ids in place of slugs, so that a workspace named in two ways is one workspace.
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
