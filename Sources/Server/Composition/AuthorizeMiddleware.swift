import Endpoints
import GatewayAPI
import HTTPTypes
import Hummingbird
import NIOCore
import Surfaces

/// Answers the checks of gateways on the main listener, where a gateway needs a credential.
///
/// A check has options in its path and any path behind them, which a route cannot express.
struct AuthorizeMiddleware: RouterMiddleware {
    typealias Context = MortiseRequestContext

    let authorizer: Authorizer

    func handle(
        _ request: Request,
        context: MortiseRequestContext,
        next: @concurrent (Request, MortiseRequestContext) async throws -> Response
    ) async throws -> Response {
        let address = context.remoteAddress?.clientAddress
        guard let target = request.head.path,
            let asked = authorizer.read(target, request.headers, from: .connection(address))
        else { return try await next(request, context) }
        let credentials = request.headers[values: .xMortiseKey]
        let answer = await authorizer.answer(asked, credentials: credentials, from: address)
        let response = Response(answer)
        return request.method == .head ? response.createHeadResponse() : response
    }
}

extension HTTPFields: RequestHeaders {
    /// Returns the values of all lines with a name.
    package func lines(_ name: String) -> [String] { HTTPField.Name(name).map { self[values: $0] } ?? [] }
}

extension Response {
    fileprivate init(_ answer: GatewayAnswer) {
        var fields = HTTPFields()
        for field in answer.fields {
            if let name = HTTPField.Name(field.name) { fields.append(HTTPField(name: name, value: field.value)) }
        }
        self.init(
            status: HTTPResponse.Status(code: answer.status),
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        )
    }
}
