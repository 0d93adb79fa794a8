import Endpoints
import FoundationEssentials
import HTTPTypes
import Keys
import Service
import Surfaces
import Tenancy

/// A request of a member whose session is alive.
struct Visit: ConsoleVisit {
    let request: ConsoleRequest
    let session: BrowserSession
    let context: ConsoleContext

    init(_ request: ConsoleRequest, _ session: BrowserSession, _ context: ConsoleContext) {
        self.request = request
        self.session = session
        self.context = context
    }

    var principal: Principal { session.principal }

    /// The time of the request, by the database's clock.
    var moment: Timestamp { session.readAt }

    /// The organization's id, as use cases take it.
    var organization: String { UUIDv7.text(of: session.organizationID) }

    private var sessionText: String { UUIDv7.text(of: session.sessionID) }

    // MARK: Forms

    var formToken: FormToken { formToken(of: person) }

    private func formToken(of person: String) -> FormToken {
        FormToken(session: sessionText, person: person, for: ("console form", "console form of"), context.signer)
    }

    var person: String { "\(principal.actor) \(organization)" }

    /// Returns the other organization of the person for which a form was made, or `nil` if there is none.
    func organizationOfForm() async throws -> UUID? {
        try await platform.sessions.organizations(of: principal).map(\.id)
            .first { id in
                let person = "\(principal.actor) \(UUIDv7.text(of: id))"
                return id != session.organizationID && formToken(of: person).isOfVisitor(form)
            }
    }

    func workspaceNames() async throws -> [String: String] {
        var names: [String: String] = [:]
        for workspace in try await workspaces() {
            names[UUIDv7.text(of: workspace.id)] = workspace.name ?? workspace.slug
        }
        return names
    }

    // MARK: Answers

    var signIn: Redirect { .signIn(from: request.path, hasEnded: true) }

    func explanationOfMissing() async throws -> [String: Any]? {
        guard try await lacksWorkspace() else { return nil }
        return [
            "detail":
                "Your account sees no workspace of this name. It was renamed or deleted, or it belongs to another organization.",
            "back": "Show the workspaces",
        ]
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

    func page(_ template: String, title: String, _ values: [String: Any], _ status: HTTPResponse.Status) async throws
        -> EndpointResponse
    {
        try await page(template, title: title, in: nil, values, status: status)
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
