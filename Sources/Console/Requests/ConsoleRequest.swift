import Endpoints
import HTTPTypes
import JSON
import Keys
import NIOCore
import Service
import Surfaces

/// A request of a browser.
struct ConsoleRequest: Sendable {
    let request: EndpointRequest<Principal>
    /// The client's address.
    let address: IPAddress?
    /// The fields of the query.
    let query: FormFields
    /// The fields of the form.
    ///
    /// Empty for a page.
    private(set) var form: FormFields
    /// The path.
    private(set) var path: String

    init(_ request: EndpointRequest<Principal>, _ clients: ClientAddresses) {
        self.request = request
        path = request.path
        address = clients.address(request.headers, request.context.remoteAddress)
        query = FormFields(query: request.rawQuery)
        let members = request.json.object?.members ?? []
        form = FormFields(members.compactMap { member in member.value.string.map { (member.name, $0) } })
    }

    var head: HTTPRequest { request.head }
    var headers: HTTPFields { request.headers }

    /// The path and the query, as a page of the console links to it.
    var target: String { request.path + (request.rawQuery.map { "?\($0)" } ?? "") }

    /// False if a link of another site, or in a mail, led here.
    ///
    /// A browser that does not say where a request comes from is believed.
    var isFromConsole: Bool {
        let site = headers.single(.secFetchSite)
        return site == nil || site == "same-origin"
    }

    /// Returns the request of the same browser with another form.
    func with(_ form: FormFields, at path: String) -> ConsoleRequest {
        var request = self
        (request.form, request.path) = (form, path)
        return request
    }

    /// Returns a target without the word about what has happened, which only the console's own redirect may name.
    static func withoutOutcome(_ target: String) -> String {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = FormFields(query: parts.count > 1 ? String(parts[1]) : nil)
        return query.contains("done") ? parts[0] + query.query(["done": ""]) : target
    }

    /// Returns the target with another workspace in its path, `/console/workspaces/{workspace}/…`.
    func target(inWorkspace slug: String) -> String {
        let rest = request.path.split(separator: "/").dropFirst(3).map { "/\($0)" }.joined()
        return "/console/workspaces/\(slug)\(rest)" + (request.rawQuery.map { "?\($0)" } ?? "")
    }

    /// The origin of a request whose sender is not known yet.
    var origin: RequestOrigin { RequestOrigin(address: address, requestID: request.context.requestID) }

    /// Returns a decoded parameter of the path.
    func parameter(_ name: String) throws -> String { try request.parameter(name) }

    /// Returns the value of a cookie; `nil` if it is absent, or if there are two, of which one is somebody else's.
    func cookie(_ name: String) -> String? { Cookie.value(of: name, in: headers[values: .cookie]) }

    /// Returns the caller of a use case.
    ///
    /// - Parameters:
    ///   - principal: The principal that sent the request.
    ///   - key: The `Idempotency-Key` of the form, for a change that must happen once.
    /// - Returns: The caller.
    func caller(_ principal: Principal, once key: String? = nil) -> Caller {
        Caller(
            principal: principal,
            address: address?.description,
            requestID: request.context.requestID,
            idempotency: key.map {
                IdempotentRequest(
                    key: $0,
                    method: "POST",
                    path: path,
                    query: "",
                    body: Array(request.rawBody.readableBytesView)
                )
            }
        )
    }
}
