import Endpoints
import GatewayAPI
import HTTPTypes
import Hummingbird
import NIOCore
import Surfaces

extension Authorizer {
    /// Returns the part of the main listener's path space that answers the checks of gateways, which need a credential there.
    ///
    /// A check has options in its path and any path behind them, which no route can express. So no route finds it, and other requests pay
    /// nothing for it.
    ///
    /// - Parameter respond: Answers a request that is no check.
    /// - Returns: The mount.
    func mount(otherwise respond: @escaping @Sendable (Request, MortiseRequestContext) async -> Response) -> Mount {
        Mount(prefix: "/v1/authorize") { [self] request, context in
            let address = context.remoteAddress?.clientAddress
            // The target of CONNECT is not that of a question, whatever it looks like.
            guard request.method != .connect, let target = request.head.path,
                let asked = read(target, request.headers, from: .connection(address))
            else { return await respond(request, context) }
            let credentials = request.headers[values: .xMortiseKey]
            return Response(await answer(asked, credentials: credentials, from: address))
        }
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
            status: HTTPResponse.Status(code: answer.status, reasonPhrase: answer.reasonPhrase),
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        )
    }
}
