import Endpoints
import HTTPTypes
import Keys
import Service
import Surfaces

/// A request of an operator whose session is alive.
struct OperatorVisit: ConsoleVisit {
    let request: ConsoleRequest
    let session: OperatorSession
    let context: ConsoleContext

    var principal: Principal { session.principal }
    var moment: Timestamp { session.readAt }
    var person: String { session.principal.actor }
    var signIn: Redirect { Self.signIn(request) }

    var formToken: FormToken {
        FormToken(session: session.id, person: person, for: ("operator form", "operator form of"), context.signer)
    }

    func workspaceNames() -> [String: String] { [:] }

    func explanationOfMissing() async -> [String: Any]? {
        guard let name = try? request.parameter("organization"),
            (try? await platform.organizations.get(name, by: caller)) == nil
        else { return nil }
        return [
            "detail": "There is no organization of this name. It was renamed or deleted.",
            "back": "Show the organizations",
        ]
    }

    /// Sends the browser to the operators' sign-in, and back afterwards.
    static func signIn(_ request: ConsoleRequest) -> Redirect {
        Redirect(location: "/console/platform/sign-in?next=\(FormText.encode(request.path))")
    }

    private static let links = [
        ("Organizations", "/console/platform/", "icon-people"),
        ("All workspaces", "/console/platform/workspaces", "icon-grid"),
        ("Clusters", "/console/platform/clusters", "icon-disks"),
        ("Nodes", "/console/platform/nodes", "icon-server"),
        ("Migrations", "/console/platform/migrations", "icon-sliders"),
    ]

    func page(_ template: String, title: String, _ values: [String: Any], _ status: HTTPResponse.Status)
        -> EndpointResponse
    {
        page(template, title: title, in: nil, values, status: status)
    }

    /// Returns a page with the navigation of operators.
    func page(
        _ template: String,
        title: String,
        in section: String? = nil,
        _ values: [String: Any],
        status: HTTPResponse.Status = .ok
    ) -> EndpointResponse {
        var values = values
        values["title"] = title
        values["organization"] = "Platform"
        values["isPlatform"] = true
        values["user"] = session.name
        values["email"] = session.name
        values["csrf"] = formToken.text
        values["navigation"] = Self.links.map { name, path, icon in
            ["name": name, "path": path, "icon": icon, "current": name == section] as [String: Any]
        }
        if values["done"] == nil, let done = Outcome(of: request) { values["done"] = done.sentence }
        return context.pages.page(template, values, status: status)
    }
}

extension ConsoleContext {
    /// Returns the visit of an operator, or `nil` without a session that is alive.
    private func operatorVisit(_ request: ConsoleRequest) async throws -> OperatorVisit? {
        guard let cookie = request.cookie(Cookie.operatorSession) else { return nil }
        return try await operatorVisit(request, cookie: cookie)
    }

    /// Returns the visit of the operator whose session has a cookie, or `nil` if the session is not alive.
    func operatorVisit(_ request: ConsoleRequest, cookie: String) async throws -> OperatorVisit? {
        do {
            let session = try await platform.operatorSessions.authenticate(cookie: cookie, from: request.address)
            return OperatorVisit(request: request, session: session, context: self)
        } catch Refusal.unauthenticated {
            return nil
        }
    }

    /// Declares a page for operators.
    func operatorPage(
        _ path: String,
        id: String,
        handler: @escaping @Sendable (OperatorVisit) async throws -> EndpointResponse
    ) -> ConsoleEndpoint {
        open(.get, path, id: id) { request in
            guard let visit = try await operatorVisit(request) else {
                if let arrival = arrival(request, without: Cookie.operatorSession) { return arrival }
                throw OperatorVisit.signIn(request)
            }
            return try await visit.answering { try await handler(visit) }
        }
    }

    /// Declares a change by operators.
    func operatorAction(
        _ path: String,
        id: String,
        waits: WaitLimit = .usual,
        handler: @escaping @Sendable (OperatorVisit) async throws -> EndpointResponse
    ) -> ConsoleEndpoint {
        open(.post, path, id: id, waits: waits) { request in
            try requireOwnPage(request)
            guard let visit = try await operatorVisit(request) else {
                guard let kept = KeptForm(sentWithoutSession: request) else { throw OperatorVisit.signIn(request) }
                let values = kept.values(
                    at: SignInForm.next(FormEntries.path(request), under: "\(OperatorRoutes.path)/"),
                    hasProvider: false
                )
                return SignInForm(self).operatorPage(request, values, status: .unauthorized)
            }
            guard visit.hasOwnForm else { return try await visit.answering { try await visit.earlierForm() } }
            return try await visit.answering { try await handler(visit) }
        }
    }
}
