import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Tenancy

/// The creation of workspaces, and the settings of one.
struct WorkspaceRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { [form, create, settings, save, state, delete, back("state"), back("delete")] }

    /// A path that no workspace's slug can take.
    private static let newPath = "/console/new-workspace"
    private static let settingsPath = "/console/workspaces/{workspace}/settings"

    private var form: ConsoleEndpoint {
        context.page(Self.newPath, id: "consoleNewWorkspace") { visit in
            try visit.principal.requireWide(.workspacesWrite)
            return try await formPage(FormFaults(), visit)
        }
    }

    private func formPage(
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        var values: [String: Any] = ["name": visit.form["name"], "slug": visit.form["slug"], "ticket": visit.ticket]
        values.merge(faults.values) { _, new in new }
        return try await visit.page("workspace-new", title: "Create workspace", in: .workspaces, values, status: status)
    }

    private var create: ConsoleEndpoint {
        context.action(Self.newPath, id: "consoleCreateWorkspace", waits: .long) { visit in
            var faults = FormFaults()
            let (name, slug) = (visit.form.text("name"), visit.form.text("slug"))
            if name == nil { faults.add("name", "Enter a name.") }
            faults.check(name: name, slug: slug)
            guard faults.isEmpty, let name else {
                return try await formPage(faults, visit, status: .unprocessableContent)
            }
            do {
                let made = try await visit.platform.workspaces.create(
                    NewWorkspace(
                        organizationID: visit.session.organizationID,
                        name: name,
                        slug: slug,
                        cluster: nil
                    ),
                    by: try visit.callerOnce()
                ) { "{\"id\":\"\(UUIDv7.text(of: $0.id))\",\"slug\":\"\($0.slug)\"}" }
                let slug = (try? JSONValue(parsing: made.answer.utf8))?["slug"]?.string
                throw Redirect(location: slug.map { "/console/workspaces/\($0)?done=created" } ?? "/console/")
            } catch let redirect as Redirect {
                throw redirect
            } catch {
                guard let found = FormFaults(error) else { throw error }
                return try await formPage(found, visit, status: .unprocessableContent)
            }
        }
    }

    private func workspace(_ visit: Visit) async throws -> Workspace {
        let found = try await visit.platform.workspaces.get(try visit.request.parameter("workspace"), by: visit.caller)
        try visit.principal.require(.workspacesWrite, in: found.id)
        return found
    }

    private var settings: ConsoleEndpoint {
        context.page(Self.settingsPath, id: "consoleWorkspaceSettings") { visit in
            try await page(try await workspace(visit), FormFaults(), visit)
        }
    }

    private func page(
        _ workspace: Workspace,
        _ faults: FormFaults,
        _ visit: Visit,
        status: HTTPResponse.Status = .ok
    ) async throws -> EndpointResponse {
        let form = visit.form
        let old = OldPage(form)
        let limit = Self.limit(workspace.memberScopes)
        let shownLimit = old.shown("limit").map(OldPage.plain)
        let isLimitTyped = form.contains("member_scopes") && Self.limit(Self.memberScopes(form)) != shownLimit
        // Scopes that somebody typed without the limit are not a setting, and stay in the form.
        let isTextTyped = isLimitTyped || form.contains("member_scopes") && workspace.memberScopes == nil
        var values: [String: Any] = [
            "workspace": WorkspaceView.values(workspace),
            "name": old.value("name", now: workspace.name ?? ""), "slug": old.value("slug", now: workspace.slug),
            "memberScopes": isTextTyped
                ? form["member_scopes"] : (workspace.memberScopes ?? []).joined(separator: "\n"),
            "limitsScopes": isLimitTyped ? form.contains("limits_scopes") : workspace.memberScopes != nil,
            "shown": OldPage.hidden([("name", workspace.name ?? ""), ("slug", workspace.slug), ("limit", limit)]),
            "confirmation": form["confirmation"],
            "ref": workspace.ref.text, "id": UUIDv7.text(of: workspace.id),
            "canDelete": workspace.state == .archived && !workspace.isDefault,
            "canArchive": (workspace.state == .active || workspace.state == .suspended) && !workspace.isDefault,
        ]
        if workspace.state == .archived, !workspace.isHeldByOperator, let end = Self.restorableUntil(workspace),
            end > visit.moment
        {
            values["canRestore"] = true
            values["restorableUntil"] = TimeView.values(end, at: visit.moment)
        }
        if workspace.state == .active { values["impact"] = await impact(of: workspace, visit) }
        values["created"] = TimeView.values(workspace.createdAt, at: visit.moment)
        values.merge(faults.values) { _, new in new }
        let title = "\(workspace.name ?? workspace.slug): settings"
        return try await visit.page("workspace-settings", title: title, in: .workspaces, values, status: status)
    }

    /// Returns a sentence about the uses that stop with the workspace, or `nil` if its database cannot be read.
    private func impact(of workspace: Workspace, _ visit: Visit) async -> String? {
        let overview = try? await visit.platform.keys.overview(of: workspace, for: visit.principal, at: visit.moment)
        guard let usage = overview?.usage else { return nil }
        let count = usage.map(\.count).reduce(0, +)
        return count == 0
            ? "None of its keys was verified in the last 24 hours."
            : "Its keys were verified \(NumberText.counted(count, "time")) in the last 24 hours."
    }

    /// Returns the scopes that the form allows members, or `nil` for no limit.
    private static func memberScopes(_ form: FormFields) -> [String]? {
        form.contains("limits_scopes") ? form.lines("member_scopes") : nil
    }

    /// Returns the limit of the scopes of members as one text: the two fields of the form are one setting.
    private static func limit(_ scopes: [String]?) -> String {
        scopes.map { (["only"] + $0).joined(separator: "\n") } ?? "none"
    }

    /// Returns the limit in words.
    private static func limitText(_ scopes: [String]?) -> String {
        guard let scopes else { return "no limit" }
        return scopes.isEmpty ? "no scope" : scopes.joined(separator: "\n")
    }

    /// Returns the change that the form asks for: what the person changed in it.
    private static func change(of workspace: Workspace, _ form: FormFields, _ faults: inout FormFaults)
        -> WorkspaceChange
    {
        let old = OldPage(form)
        var change = WorkspaceChange()
        if old.changes("name", to: form["name"], from: workspace.name ?? "", &faults) {
            change.name = .some(form.text("name"))
        }
        if let slug = form.text("slug") {
            if old.changes("slug", to: slug, from: workspace.slug, &faults) { change.slug = slug }
        } else if form.contains("slug") {
            faults.add("slug", "Enter a slug.")
        }
        let (scopes, present) = (memberScopes(form), workspace.memberScopes)
        for scope in scopes ?? [] where (try? Scope(validating: scope)) == nil {
            faults.add(
                "member_scopes",
                "\u{201C}\(scope)\u{201D} is not a scope, such as \u{201C}read:invoices\u{201D}."
            )
        }
        if let scopes, scopes.count > ScopeSet.maximumCount {
            faults.add("member_scopes", "Must have at most \(ScopeSet.maximumCount) entries.")
        }
        switch OldPage.change(
            of: "limit",
            to: limit(scopes),
            shown: old.shown("limit") ?? limit(present),
            now: limit(present)
        ) {
        case .none: break
        case .own: change.memberScopes = .some(scopes)
        case .contested: faults.add("member_scopes", OldPage.fault(now: limitText(present)))
        }
        faults.check(name: change.name ?? nil, slug: change.slug)
        return change
    }

    /// Returns the time until which an archived workspace can be restored.
    private static func restorableUntil(_ workspace: Workspace) -> Timestamp? {
        workspace.archivedAt.map { $0 + .seconds(86_400 * Provisioner.restorableDays) }
    }

    private var save: ConsoleEndpoint {
        context.action(Self.settingsPath, id: "consoleSaveWorkspace") { visit in
            try await OldPage.comparing { try await save(try await workspace(visit), visit) }
        }
    }

    /// Saves the form of a workspace, if the workspace is still as it was read.
    private func save(_ workspace: Workspace, _ visit: Visit) async throws -> EndpointResponse {
        var faults = FormFaults()
        let change = Self.change(of: workspace, visit.form, &faults)
        guard faults.isEmpty else { return try await page(workspace, faults, visit, status: .unprocessableContent) }
        let saved: Workspace
        do {
            let id = UUIDv7.text(of: workspace.id)
            saved = try await visit.platform.workspaces.update(id, change, ifStill: workspace, by: visit.caller)
        } catch {
            guard let found = FormFaults(error) else { throw error }
            return try await page(workspace, found, visit, status: .unprocessableContent)
        }
        throw Redirect(location: "/console/workspaces/\(saved.slug)/settings?done=saved")
    }

    private var state: ConsoleEndpoint {
        context.action("\(Self.settingsPath)/state", id: "consoleWorkspaceState", waits: .long) { visit in
            try await OldPage.comparing { try await change(stateOf: try await workspace(visit), visit) }
        }
        .stopping { Self.namesStop($0.body) }
    }

    /// Changes the state of a workspace, if the workspace is still as it was read.
    private func change(stateOf workspace: Workspace, _ visit: Visit) async throws -> EndpointResponse {
        let id = UUIDv7.text(of: workspace.id)
        let path = "/console/workspaces/\(workspace.slug)/settings"
        let service = visit.platform.workspaces
        do {
            switch visit.form["state"] {
            case "suspended":
                _ = try await service.suspend(id, by: visit.caller)
                throw Redirect(location: "\(path)?done=suspended")
            case "active":
                if (workspace.targetState ?? workspace.state) != .active {
                    try OldPage(visit.form).requireUnchanged("workspace", since: workspace.updatedAt)
                }
                _ = try await service.resume(id, ifStill: workspace, by: visit.caller)
                throw Redirect(location: "\(path)?done=resumed")
            case "archived":
                guard visit.form["confirmation"].trimmed == workspace.slug else {
                    return try await unconfirmed(workspace, "archive", visit)
                }
                _ = try await service.archive(id, by: visit.caller)
                throw Redirect(location: "\(path)?done=archived")
            case "restored":
                if (workspace.targetState ?? workspace.state) == .archived {
                    try OldPage(visit.form).requireUnchanged("workspace", since: workspace.updatedAt)
                }
                _ = try await service.restore(id, ifStill: workspace, by: visit.caller)
                throw Redirect(location: "\(path)?done=restored")
            default: throw Problem.notFound
            }
        } catch let redirect as Redirect {
            throw redirect
        } catch {
            guard let found = FormFaults(error) else { throw error }
            return try await page(workspace, found, visit, status: .conflict)
        }
    }

    /// True if a form asks for a state in which the workspace's keys are refused.
    static func namesStop(_ form: Fields) -> Bool {
        let state = try? form.optional("state", as: String.self)
        return state == "suspended" || state == "archived"
    }

    private func unconfirmed(_ workspace: Workspace, _ form: String, _ visit: Visit) async throws -> EndpointResponse {
        var faults = FormFaults()
        let detail = "This is not the slug of the workspace. Nothing was changed."
        faults.add("confirmation", detail, anchor: "\(form)-confirmation")
        return try await page(workspace, faults, visit, status: .unprocessableContent)
    }

    /// Declares the way back to the settings from the address of a form, such as after a sign-in.
    private func back(_ change: String) -> ConsoleEndpoint {
        context.page("\(Self.settingsPath)/\(change)", id: "consoleWorkspacePage-\(change)") { visit in
            let workspace = try await workspace(visit)
            throw Redirect(location: "/console/workspaces/\(workspace.slug)/settings")
        }
    }

    private var delete: ConsoleEndpoint {
        context.action("\(Self.settingsPath)/delete", id: "consoleDeleteWorkspace", waits: .long) { visit in
            let workspace = try await workspace(visit)
            guard visit.form["confirmation"].trimmed == workspace.slug else {
                return try await unconfirmed(workspace, "delete", visit)
            }
            do {
                try await visit.platform.workspaces.delete(UUIDv7.text(of: workspace.id), by: visit.caller)
            } catch {
                guard let found = FormFaults(error) else { throw error }
                return try await page(workspace, found, visit, status: .conflict)
            }
            throw Redirect(location: "/console/?done=workspace-deleted")
        }
    }
}
