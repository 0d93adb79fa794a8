import Endpoints
import HTTPTypes
import Keys
import Service
import Surfaces

/// A request of an operator whose session is alive.
struct OperatorVisit: Sendable {
    let request: ConsoleRequest
    let session: OperatorSession
    let context: ConsoleContext

    var platform: Platform { context.platform }
    var query: FormFields { request.query }
    var form: FormFields { request.form }

    /// The time of the request, by the database's clock.
    var moment: Timestamp { session.readAt }

    /// The caller of a use case.
    var caller: Caller { request.caller(session.principal) }

    /// The token that proves that a form is from a page of this session.
    private var formToken: FormToken {
        FormToken(
            session: session.id,
            person: session.principal.actor,
            for: ("operator form", "operator form of"),
            context.signer
        )
    }

    /// A ticket for a form that creates an object once.
    var ticket: String { FormTicket.make(session.principal.actor, at: moment, context.signer) }

    /// True if the form has the session's token.
    var hasOwnForm: Bool { formToken.isOwn(form) }

    /// Returns the answer to a form of another session.
    ///
    /// - Parameter status: The status of the page with the entries. Defaults to that of a refused form.
    /// - Returns: The answer.
    func earlierForm(_ status: HTTPResponse.Status = .forbidden) -> EndpointResponse {
        guard let earlier = FormEntries(request, isOfVisitor: formToken.isOfVisitor(form)) else {
            return page("error", title: FormEntries.title, FormEntries.refusal(request), status: .forbidden)
        }
        return page("form-again", title: FormEntries.title, values(of: earlier), status: status)
    }

    /// Returns the page with the entries of a form that was answered with 503, or `nil` for another answer.
    private func unfinishedForm(_ problem: Problem) -> EndpointResponse? {
        guard problem.kind.status == .serviceUnavailable,
            let entries = FormEntries(request, .unfinished, isOfVisitor: hasOwnForm)
        else { return nil }
        var values = values(of: entries)
        values["unfinished"] = ErrorPages.detail(problem)
        return page("form-again", title: problem.kind.title, values, status: problem.kind.status)
    }

    private func values(of entries: FormEntries) -> [String: Any] {
        var values = entries.values(workspaces: [:])
        values["ticket"] = FormTicket.kept(form["ticket"], session.principal.actor, at: moment, context.signer)
        return values
    }

    /// The caller of a use case that creates an object once for each form.
    func callerOnce() throws -> Caller {
        guard let key = FormTicket.key(form["ticket"], session.principal.actor, at: moment, context.signer) else {
            throw Problem(.conflict, detail: "This form is too old. Nothing was changed. Open it again.")
        }
        return request.caller(session.principal, once: key)
    }

    /// Runs a handler on behalf of the operator, and renders what it refuses as a page with the navigation.
    func answering(_ body: () async throws -> EndpointResponse) async throws -> EndpointResponse {
        try await session.principal.takingTurns { try await renderingRefusals(body) }
    }

    private func renderingRefusals(
        _ body: () async throws -> EndpointResponse
    ) async throws -> EndpointResponse {
        do {
            return try await body()
        } catch Refusal.unauthenticated {
            throw OperatorVisit.signIn(request)
        } catch let redirect as Redirect {
            throw redirect
        } catch let missing as MissingObject {
            return page("error", title: MissingObject.title, missing.values, status: MissingObject.status)
        } catch {
            guard let problem = error as? Problem ?? DomainProblems.problem(for: error) else { throw error }
            var values = ["detail": ErrorPages.detail(problem)]
            if problem.kind == .notFound, let name = try? request.parameter("organization"),
                (try? await platform.organizations.get(name, by: caller)) == nil
            {
                values = [
                    "detail": "There is no organization of this name. It was renamed or deleted.",
                    "back": "Show the organizations",
                ]
            }
            return unfinishedForm(problem)
                ?? page("error", title: problem.kind.title, values, status: problem.kind.status)
        }
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
            guard visit.hasOwnForm else { return try await visit.answering { visit.earlierForm() } }
            return try await visit.answering { try await handler(visit) }
        }
    }
}
