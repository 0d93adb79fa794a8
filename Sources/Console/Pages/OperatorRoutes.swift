import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import Migrations
import People
import Service
import Tenancy

/// The pages for operators: organizations, workspaces, clusters, nodes and migrations.
struct OperatorRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] {
        [
            showSignIn, signIn, signOut, organizations, newOrganization, create, organization, save, backFromSignOut,
            saveNotices, backFromNotices, workspaces, state, clusters, nodes, migrations,
        ] + issuerEndpoints
    }

    static let path = "/console/platform"
    static let organizationPath = "/console/platform/organizations/{organization}"

    // MARK: Sessions

    private var showSignIn: ConsoleEndpoint {
        context.open(.get, "\(Self.path)/sign-in", id: "consoleOperatorSignInPage") { request in
            var values: [String: Any] = ["next": SignInForm.next(request.query["next"], under: "\(Self.path)/")]
            if request.isFromConsole, request.query["done"] == "out" { values["done"] = "You are signed out." }
            return SignInForm(context).operatorPage(request, values)
        }
    }

    private var signIn: ConsoleEndpoint {
        context.open(.post, "\(Self.path)/sign-in", id: "consoleOperatorSignIn") { request in
            try context.requireOwnPage(request)
            let form = SignInForm(context)
            guard form.isOwn(request) else { throw form.stale }
            let next = SignInForm.next(request.form["next"], under: "\(Self.path)/")
            do {
                let cookie = try await context.platform.operatorSessions.begin(
                    request.form["key"].trimmed,
                    from: request.address
                )
                let cookies = [Cookie.set(Cookie.operatorSession, cookie)]
                if let kept = KeptForm(signIn: request),
                    let visit = try await context.operatorVisit(kept.request(after: request, at: next), cookie: cookie)
                {
                    return try await visit.answering { try await visit.earlierForm(.ok) }.setting(cookies)
                }
                throw Redirect(location: next, cookies: cookies)
            } catch Refusal.unauthenticated {
                let faults: [String: Any] = ["list": [["text": "This is not the token of an operator key that works."]]]
                var values: [String: Any] = ["next": next, "faults": faults]
                values["kept"] = KeptForm(signIn: request)?.text
                return form.operatorPage(request, values, status: .unauthorized)
            }
        }
    }

    private var signOut: ConsoleEndpoint {
        context.operatorAction("\(Self.path)/sign-out", id: "consoleOperatorSignOut") { _ in
            throw Redirect(
                location: "\(Self.path)/sign-in?done=out",
                cookies: [Cookie.clear(Cookie.operatorSession)]
            )
        }
    }

    private var backFromSignOut: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/sign-out", id: "consoleOperatorSignOutPage") { _ in
            throw Redirect(location: "\(Self.path)/")
        }
    }

    // MARK: Organizations

    private var organizations: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/", id: "consolePlatform") { visit in
            let page = try await visit.platform.organizations.list(
                PageRequest(limit: 50, PageCursor(visit.query["after"]).map { .after($0) } ?? .first),
                query: visit.query.text("q"),
                by: visit.caller
            )
            let values: [String: Any] = [
                "organizations": page.items.map { organization -> [String: Any] in
                    var values: [String: Any] = [
                        "name": organization.name, "slug": organization.slug,
                        "path": "\(Self.path)/organizations/\(organization.slug)",
                    ]
                    values["created"] = TimeView.values(organization.createdAt, at: visit.moment)
                    return values
                },
                "hasOrganizations": !page.items.isEmpty, "q": visit.query["q"], "hasNext": page.next != nil,
                "next": page.next.map { "\(Self.path)/\(visit.query.query(["after": $0.text, "done": ""]))" } ?? "",
            ]
            return visit.page("platform", title: "Organizations", in: "Organizations", values)
        }
    }

    private static let newPath = "\(path)/new-organization"

    private var newOrganization: ConsoleEndpoint {
        context.operatorPage(Self.newPath, id: "consoleNewOrganization") { visit in newPage(FormFaults(), visit) }
    }

    private func newPage(_ faults: FormFaults, _ visit: OperatorVisit, status: HTTPResponse.Status = .ok)
        -> EndpointResponse
    {
        var values: [String: Any] = [
            "name": visit.form["name"], "slug": visit.form["slug"], "tokenPrefix": visit.form["token_prefix"],
            "ticket": visit.ticket,
        ]
        values.merge(faults.values) { _, new in new }
        return visit.page("platform-new", title: "Create organization", in: "Organizations", values, status: status)
    }

    private var create: ConsoleEndpoint {
        context.operatorAction(Self.newPath, id: "consoleCreateOrganization", waits: .long) { visit in
            var faults = FormFaults()
            let name = visit.form.text("name")
            let (slug, tokenPrefix) = (visit.form.text("slug"), visit.form.text("token_prefix"))
            if name == nil { faults.add("name", "Enter a name.") }
            faults.check(name: name, slug: slug, tokenPrefix: tokenPrefix)
            guard faults.isEmpty, let name else {
                return newPage(faults, visit, status: .unprocessableContent)
            }
            do {
                let new = NewOrganization(name: name, slug: slug, tokenPrefix: tokenPrefix)
                let issued = try await visit.platform.organizations.create(new, by: try visit.callerOnce()) {
                    "{\"id\":\"\(UUIDv7.text(of: $0.organization.id))\"}"
                }
                var values: [String: Any] = ["name": name, "isReplay": issued.isReplay]
                values["organizationID"] = (try? JSONValue(parsing: issued.answer.utf8))?["id"]?.string
                if !issued.isReplay {
                    values["token"] = issued.token.reveal()
                    values["done"] = "The organization is created."
                }
                return visit.page(
                    "platform-issued",
                    title: "Organization created",
                    in: "Organizations",
                    values,
                    status: .created
                )
            } catch {
                guard let found = FormFaults(error) else { throw error }
                return newPage(found, visit, status: .unprocessableContent)
            }
        }
    }

    private var organization: ConsoleEndpoint {
        context.operatorPage(Self.organizationPath, id: "consoleOrganization") { visit in
            try await organizationPage(FormFaults(), visit)
        }
    }

    /// Returns the page of the organization that the path names.
    func organizationPage(
        _ faults: FormFaults,
        _ visit: OperatorVisit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let found = try await visit.platform.organizations.get(
            try visit.request.parameter("organization"),
            by: visit.caller
        )
        let id = UUIDv7.text(of: found.id)
        let workspaces = try await visit.platform.workspaces.list(
            PageRequest(limit: 100),
            WorkspaceFilter(organizationID: found.id),
            by: visit.caller
        )
        let issuers = try await visit.platform.sessionIssuers.list(
            PageRequest(limit: 100),
            organization: id,
            by: visit.caller
        )
        let form = visit.form
        let old = OldPage(form)
        let prefix = found.tokenPrefix ?? ""
        var values: [String: Any] = [
            // The slug can change before a form of the page is sent, and another organization can have it then.
            "organizationName": found.name, "path": "\(Self.path)/organizations/\(id)", "organizationID": id,
            "name": old.value("name", now: found.name), "slug": old.value("slug", now: found.slug),
            "tokenPrefix": old.value("token_prefix", now: prefix), "ticket": visit.ticket,
            "shown": OldPage.hidden([("name", found.name), ("slug", found.slug), ("token_prefix", prefix)]),
            "workspaces": workspaces.items.map(WorkspaceView.values), "hasWorkspaces": !workspaces.items.isEmpty,
            "hasMoreWorkspaces": workspaces.next != nil, "hasMoreIssuers": issuers.next != nil,
            "issuers": issuers.items.map { issuer -> [String: Any] in
                let source: String =
                    switch issuer.keys {
                    case .url(let url): url
                    case .file(let file): file
                    case .inline: "key set given inline"
                    }
                return ["id": UUIDv7.text(of: issuer.id), "issuer": issuer.issuer, "source": source]
            },
            "hasIssuers": !issuers.items.isEmpty, "issuer": form["issuer"], "jwksURL": form["jwks_url"],
            "parties": form["authorized_parties"],
        ]
        values["noticesPath"] = "\(Self.path)/organizations/\(id)/notices"
        values.merge(NoticesForm.values(found, form)) { _, new in new }
        values.merge(faults.values) { _, new in new }
        return visit.page("platform-organization", title: found.name, in: "Organizations", values, status: status)
    }

    private var save: ConsoleEndpoint {
        context.operatorAction(Self.organizationPath, id: "consoleSaveOrganization") { visit in
            try await OldPage.comparing { try await save(visit) }
        }
    }

    /// Saves the form of an organization, if the organization is still as it was read.
    private func save(_ visit: OperatorVisit) async throws -> EndpointResponse {
        let found = try await visit.platform.organizations.get(
            try visit.request.parameter("organization"),
            by: visit.caller
        )
        var faults = FormFaults()
        let change = Self.change(of: found, visit.form, &faults)
        guard faults.isEmpty else {
            return try await organizationPage(faults, visit, status: .unprocessableContent)
        }
        let saved: Organization
        do {
            let id = UUIDv7.text(of: found.id)
            saved = try await visit.platform.organizations.update(id, change, ifStill: found, by: visit.caller)
        } catch {
            guard let faults = FormFaults(error) else { throw error }
            return try await organizationPage(faults, visit, status: .unprocessableContent)
        }
        throw Redirect(location: "\(Self.path)/organizations/\(saved.slug)?done=saved")
    }

    /// Returns the change that the form asks for: what the person changed in it.
    private static func change(of organization: Organization, _ form: FormFields, _ faults: inout FormFaults)
        -> OrganizationChange
    {
        let old = OldPage(form)
        var change = OrganizationChange()
        if let name = form.text("name") {
            if old.changes("name", to: name, from: organization.name, &faults) { change.name = name }
        } else {
            faults.add("name", "Enter a name.")
        }
        if let slug = form.text("slug") {
            if old.changes("slug", to: slug, from: organization.slug, &faults) { change.slug = slug }
        } else {
            faults.add("slug", "Enter a slug.")
        }
        if old.changes("token_prefix", to: form["token_prefix"], from: organization.tokenPrefix ?? "", &faults) {
            change.tokenPrefix = .some(form.text("token_prefix"))
        }
        faults.check(name: change.name, slug: change.slug, tokenPrefix: change.tokenPrefix ?? nil)
        return change
    }

    // MARK: Workspaces

    private var workspaces: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/workspaces", id: "consolePlatformWorkspaces") { visit in
            let state = WorkspaceState(rawValue: visit.query["state"])
            let page = try await visit.platform.workspaces.list(
                PageRequest(limit: 50, PageCursor(visit.query["after"]).map { .after($0) } ?? .first),
                WorkspaceFilter(states: state.map { [$0] } ?? [], query: visit.query.text("q")),
                by: visit.caller
            )
            var owners: [UUID: String] = [:]
            for id in Set(page.items.map(\.organizationID)) {
                // An organization that was deleted meanwhile has no name to show.
                owners[id] = try? await visit.platform.organizations.get(UUIDv7.text(of: id), by: visit.caller).slug
            }
            let names = owners
            let values: [String: Any] = [
                "workspaces": page.items.map { workspace -> [String: Any] in
                    var values = WorkspaceView.values(workspace)
                    values["created"] = TimeView.values(workspace.createdAt, at: visit.moment)
                    values["owner"] = names[workspace.organizationID]
                    values["organizationPath"] =
                        "\(Self.path)/organizations/\(UUIDv7.text(of: workspace.organizationID))"
                    return values
                },
                "hasWorkspaces": !page.items.isEmpty, "isList": true, "q": visit.query["q"],
                "hasNext": page.next != nil,
                "states": SelectView.options(
                    [("", "Any state")] + WorkspaceState.allCases.map { ($0.rawValue, $0.rawValue.capitalizedFirst) },
                    selected: visit.query["state"]
                ),
                "next": page.next.map { "\(Self.path)/workspaces\(visit.query.query(["after": $0.text, "done": ""]))" }
                    ?? "",
            ]
            return visit.page("platform-workspaces", title: "All workspaces", in: "All workspaces", values)
        }
    }

    private var state: ConsoleEndpoint {
        context.operatorAction("\(Self.path)/workspaces", id: "consolePlatformWorkspaceState", waits: .long) { visit in
            guard UUIDv7.parse(visit.form["workspace"]) != nil else { throw Refusal.notFound }
            let service = visit.platform.workspaces
            switch visit.form["state"] {
            case "suspended":
                _ = try await service.suspend(visit.form["workspace"], by: visit.caller)
                throw Redirect(location: "\(Self.path)/workspaces?done=suspended")
            case "active":
                return try await OldPage.comparing {
                    let found = try await service.get(visit.form["workspace"], by: visit.caller)
                    if (found.targetState ?? found.state) != .active {
                        try OldPage(visit.form).requireUnchanged("workspace", since: found.updatedAt)
                    }
                    _ = try await service.resume(visit.form["workspace"], ifStill: found, by: visit.caller)
                    throw Redirect(location: "\(Self.path)/workspaces?done=resumed")
                }
            default: throw Problem.notFound
            }
        }
        .stopping { WorkspaceRoutes.namesStop($0.body) }
    }

    // MARK: Servers

    private var migrations: ConsoleEndpoint {
        context.operatorPage("\(Self.path)/migrations", id: "consoleMigrations") { visit in
            var values: [String: Any] = ["version": context.version, "isChecked": visit.query["check"] == "1"]
            if visit.query["check"] == "1" {
                // A dry run changes nothing. The other pages check the permission in their use cases.
                try visit.session.principal.requirePlatform(.platform)
                let report = try await visit.platform.provisioner.migrateFleet(FleetOptions(isDryRun: true))
                let pending = report.outcomes.filter { $0.status != .upToDate }
                values["count"] = NumberText.counted(report.outcomes.count, "database")
                values["isCurrent"] = pending.isEmpty && report.listingFailure == nil
                values["failure"] = report.listingFailure
                values["hasPending"] = pending.contains { if case .pending = $0.status { true } else { false } }
                values["more"] = pending.count > 100 ? NumberText.counted(pending.count - 100, "more database") : nil
                values["pending"] = pending.prefix(100)
                    .map { ["name": $0.name, "text": Self.text($0.status), "isBad": !$0.isSuccess] as [String: Any] }
            }
            return visit.page("platform-migrations", title: "Migrations", in: "Migrations", values)
        }
    }

    private static func text(_ status: FleetOutcome.Status) -> String {
        switch status {
        case .pending(let files), .migrated(let files): "lacks \(NumberText.counted(files.count, "file"))"
        case .upToDate: "is current"
        case .unreachable(let reason): "cannot be reached: \(reason)"
        case .failed(let reason): "could not be checked: \(reason)"
        case .skipped: "was not checked"
        }
    }
}

extension String {
    /// The text with a capital first letter.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
