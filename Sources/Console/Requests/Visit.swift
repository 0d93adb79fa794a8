import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import Service
import Surfaces
import Tenancy

/// A request of a member whose session is alive.
struct Visit: Sendable {
    let request: ConsoleRequest
    let session: BrowserSession
    let context: ConsoleContext

    init(_ request: ConsoleRequest, _ session: BrowserSession, _ context: ConsoleContext) {
        self.request = request
        self.session = session
        self.context = context
    }

    var platform: Platform { context.platform }
    var principal: Principal { session.principal }
    var query: FormFields { request.query }
    var form: FormFields { request.form }

    /// The time of the request, by the database's clock.
    var moment: Timestamp { session.readAt }

    /// The caller of a use case.
    var caller: Caller { request.caller(principal) }

    /// The organization's id, as use cases take it.
    var organization: String { UUIDv7.text(of: session.organizationID) }

    private var sessionText: String { UUIDv7.text(of: session.sessionID) }

    // MARK: Forms

    /// The token that proves that a form is from a page of this session.
    private var formToken: FormToken { formToken(of: person) }

    private func formToken(of person: String) -> FormToken {
        FormToken(session: sessionText, person: person, for: ("console form", "console form of"), context.signer)
    }

    /// The person in the organization, as the texts of forms name both.
    private var person: String { "\(principal.actor) \(organization)" }

    /// True if the form has the session's token.
    var hasOwnForm: Bool { formToken.isOwn(form) }

    /// Returns the other organization of the person for which a form was made, or `nil` if there is none.
    func organizationOfForm() async throws -> UUID? {
        try await platform.sessions.organizations(of: principal).map(\.id)
            .first { id in
                let person = "\(principal.actor) \(UUIDv7.text(of: id))"
                return id != session.organizationID && formToken(of: person).isOfVisitor(form)
            }
    }

    /// Returns the answer to a form of another session.
    ///
    /// - Parameter status: The status of the page with the entries. Defaults to that of a refused form.
    /// - Returns: The answer.
    /// - Throws: The errors of reading the workspaces.
    func earlierForm(_ status: HTTPResponse.Status = .forbidden) async throws -> EndpointResponse {
        guard let earlier = FormEntries(request, isOfVisitor: formToken.isOfVisitor(form)) else {
            return try await page("error", title: FormEntries.title, FormEntries.refusal(request), status: .forbidden)
        }
        return try await page("form-again", title: FormEntries.title, try await values(of: earlier), status: status)
    }

    /// Returns the page with the entries of a form that was answered with 503, or `nil` for another answer and for a page that cannot be
    /// shown.
    private func unfinishedForm(_ problem: Problem) async -> EndpointResponse? {
        guard problem.kind.status == .serviceUnavailable,
            let entries = FormEntries(request, .unfinished, isOfVisitor: hasOwnForm),
            var values = try? await values(of: entries)
        else { return nil }
        values["unfinished"] = ErrorPages.detail(problem)
        return try? await page("form-again", title: problem.kind.title, values, status: problem.kind.status)
    }

    private func values(of entries: FormEntries) async throws -> [String: Any] {
        var names: [String: String] = [:]
        for workspace in try await workspaces() {
            names[UUIDv7.text(of: workspace.id)] = workspace.name ?? workspace.slug
        }
        var values = entries.values(workspaces: names)
        values["ticket"] = FormTicket.kept(form["ticket"], person, at: moment, context.signer)
        return values
    }

    /// A ticket for a form that creates an object once.
    var ticket: String { FormTicket.make(person, at: moment, context.signer) }

    /// The caller of a use case that creates an object once for each form.
    ///
    /// - Throws: A problem for a form that is too old.
    func callerOnce() throws -> Caller {
        guard let key = FormTicket.key(form["ticket"], person, at: moment, context.signer) else {
            throw Problem(.conflict, detail: "This form is too old. Nothing was changed. Open it again.")
        }
        return request.caller(principal, once: key)
    }

    // MARK: Answers

    /// Runs a handler on behalf of the member, and renders what it refuses as a page with the navigation.
    func answering(_ body: () async throws -> EndpointResponse) async throws -> EndpointResponse {
        try await principal.takingTurns { try await renderingRefusals(body) }
    }

    private func renderingRefusals(
        _ body: () async throws -> EndpointResponse
    ) async throws -> EndpointResponse {
        do {
            return try await body()
        } catch Refusal.unauthenticated {
            throw Redirect.signIn(from: request.path, hasEnded: true)
        } catch let redirect as Redirect {
            throw redirect
        } catch let missing as MissingObject {
            return try await page("error", title: MissingObject.title, missing.values, status: MissingObject.status)
        } catch {
            guard let problem = error as? Problem ?? DomainProblems.problem(for: error) else { throw error }
            var values: [String: Any] = ["detail": ErrorPages.detail(problem)]
            if problem.kind == .notFound, try await lacksWorkspace() {
                values = [
                    "detail":
                        "Your account sees no workspace of this name. It was renamed or deleted, or it belongs to another organization.",
                    "back": "Show the workspaces",
                ]
            }
            var response: EndpointResponse
            if let again = await unfinishedForm(problem) {
                response = again
            } else {
                response = try await page("error", title: problem.kind.title, values, status: problem.kind.status)
            }
            response.headers.append(contentsOf: problem.headers.filteredForPages)
            return response
        }
    }

    /// Returns true if the path names a workspace that is not there for the member.
    ///
    /// - Throws: `Redirect` to the same page of the workspace that had the slug before. The browser sends a form again, too: it is about
    ///   the workspace whatever its slug is.
    private func lacksWorkspace() async throws -> Bool {
        guard let name = try? request.parameter("workspace"),
            (try? await platform.workspaces.get(name, by: caller)) == nil
        else { return false }
        if let renamed = try? await platform.workspaces.renamed(from: name, by: caller) {
            throw Redirect(location: request.target(inWorkspace: renamed.slug), status: .temporaryRedirect)
        }
        return true
    }

    /// Returns a page with the navigation.
    ///
    /// - Parameters:
    ///   - template: The template.
    ///   - title: The title.
    ///   - section: The navigation link of the page.
    ///   - values: The values of the template.
    ///   - status: The status of the answer.
    /// - Returns: The answer.
    /// - Throws: `CancellationError`.
    func page(
        _ template: String,
        title: String,
        in section: Section? = nil,
        _ values: [String: Any],
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        var values = values
        let name = try? await platform.organizations.get(organization, by: caller).name
        values["title"] = title
        values["organization"] = name ?? "Organization"
        values["user"] = session.name ?? session.email
        values["email"] = session.email
        values["csrf"] = formToken.text
        values["navigation"] = Section.visible(to: principal)
            .map { ["name": $0.rawValue, "path": $0.path, "icon": $0.icon, "current": $0 == section] as [String: Any] }
        if values["done"] == nil, let done = Outcome(of: request) { values["done"] = done.sentence }
        return context.pages.page(template, values, status: status)
    }
}

/// A link of the navigation.
enum Section: String, CaseIterable {
    case workspaces = "Workspaces"
    case members = "Members"
    case adminKeys = "Admin keys"
    case sessionIssuers = "Session issuers"
    case webhooks = "Webhooks"
    case events = "Events"
    case settings = "Settings"

    var path: String {
        switch self {
        case .workspaces: "/console/"
        case .members: "/console/members"
        case .adminKeys: "/console/admin-keys"
        case .sessionIssuers: "/console/session-issuers"
        case .webhooks: "/console/webhooks"
        case .events: "/console/events"
        case .settings: "/console/settings"
        }
    }

    /// The name of the template with the icon.
    var icon: String {
        switch self {
        case .workspaces: "icon-grid"
        case .members: "icon-people"
        case .adminKeys: "icon-key"
        case .sessionIssuers: "icon-link"
        case .webhooks: "icon-bell"
        case .events: "icon-clock"
        case .settings: "icon-sliders"
        }
    }

    /// Returns the links that lead a principal somewhere.
    static func visible(to principal: Principal) -> [Section] {
        allCases.filter { section in
            switch section {
            case .workspaces, .settings: true
            case .members: (try? principal.require(.membersWrite)) != nil
            case .adminKeys: (try? principal.requireWide(.keysRead)) != nil
            case .sessionIssuers: (try? principal.requireWide(.membersWrite)) != nil
            case .webhooks: (try? principal.require(.webhooksRead)) != nil
            case .events: (try? principal.requireWide(.eventsRead)) != nil
            }
        }
    }
}

extension HTTPFields {
    /// The header fields of a problem that concern a browser.
    var filteredForPages: HTTPFields {
        filter { $0.name == .retryAfter || $0.name == .allow }.reduce(into: [:]) { $0.append($1) }
    }
}
