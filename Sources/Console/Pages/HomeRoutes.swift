import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Tenancy

/// The first page: the workspaces of the organization, and what needs attention.
struct HomeRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] { [home] }

    /// The number of workspaces on a page.
    ///
    /// Each needs a connection to its own database, and a node keeps as many for such a page
    /// (`DatabasesOptions.maximumOverviewDatabases`).
    private static let pageSize = 12

    private var home: ConsoleEndpoint {
        context.page("/console/", id: "consoleHome") { visit in
            let cursor = PageCursor(visit.query["after"])
            let page = try await visit.platform.workspaces.list(
                PageRequest(limit: Self.pageSize, cursor.map { .after($0) } ?? .first),
                WorkspaceFilter(query: visit.query.text("q")),
                by: visit.caller
            )
            let isSearch = visit.query.text("q") != nil
            let overviews = await overviews(page.items, visit)
            let choices = try await visit.platform.sessions.organizations(of: visit.principal)
            var values: [String: Any] = [
                "workspaces": page.items.map { row($0, overviews[$0.id], visit) },
                "attention": try await failingWebhooks(visit, isFirst: cursor == nil && !isSearch)
                    + page.items.flatMap { attention($0, overviews[$0.id], visit) },
                "canCreate": (try? visit.principal.requireWide(.workspacesWrite)) != nil,
                "next": page.next.map { "/console/\(visit.query.query(["after": $0.text, "done": ""]))" } ?? "",
                "hasNext": page.next != nil, "q": visit.query["q"], "isSearch": isSearch,
                // A person sees at a glance what is on one page.
                "canSearch": isSearch || cursor != nil || page.next != nil,
                "isFirst": cursor == nil,
            ]
            values["hasAttention"] = (values["attention"] as? [[String: Any]])?.isEmpty == false
            if choices.count > 1 {
                values["hasSwitch"] = true
                values["switch"] = SelectView.options(
                    choices.map { (UUIDv7.text(of: $0.id), $0.name) },
                    selected: visit.organization
                )
            }
            return try await visit.page("home", title: "Workspaces", in: .workspaces, values)
        }
    }

    /// Returns the overviews of the workspaces that can be read.
    ///
    /// A workspace whose database cannot be reached has none, and does not stop the others.
    private func overviews(_ workspaces: [Workspace], _ visit: Visit) async -> [UUID: WorkspaceOverview] {
        await withTaskGroup(of: (UUID, WorkspaceOverview?).self) { group in
            for workspace in workspaces where [.active, .suspended, .archived].contains(workspace.state) {
                group.addTask {
                    let overview = try? await visit.platform.keys.overview(
                        of: workspace,
                        for: visit.principal,
                        at: visit.moment
                    )
                    return (workspace.id, overview)
                }
            }
            var found: [UUID: WorkspaceOverview] = [:]
            for await (id, overview) in group { found[id] = overview }
            return found
        }
    }

    /// Returns the webhooks that need attention, on the first page of workspaces.
    private func failingWebhooks(_ visit: Visit, isFirst: Bool) async throws -> [[String: Any]] {
        guard isFirst, (try? visit.principal.require(.webhooksRead)) != nil else { return [] }
        let webhooks = try await visit.platform.webhooks.list(
            PageRequest(limit: 100),
            organization: visit.organization,
            by: visit.caller
        )
        return WebhookView.attention(webhooks.items, at: visit.moment)
    }

    private func row(_ workspace: Workspace, _ overview: WorkspaceOverview?, _ visit: Visit) -> [String: Any] {
        var values = WorkspaceView.values(workspace)
        values["isKnown"] = overview != nil
        values["isConfined"] = !visit.allows(.keysRead, in: workspace.id)
        if let overview {
            values["counts"] = KeyStatus.allCases
                .compactMap { status -> [String: Any]? in
                    let count = (overview.serviceKeys[status] ?? 0) + (overview.clientKeys[status] ?? 0)
                    guard count > 0 else { return nil }
                    return [
                        "status": status.rawValue, "count": NumberText.grouped(count),
                        "name": KeyView.name(status).lowercased(),
                    ]
                }
            let total = (overview.serviceKeys.values.reduce(0, +)) + (overview.clientKeys.values.reduce(0, +))
            values["hasKeys"] = total > 0
            values["spark"] = ChartView.spark(overview.usage, at: visit.moment)
        }
        return values
    }

    private func attention(_ workspace: Workspace, _ overview: WorkspaceOverview?, _ visit: Visit) -> [[String: Any]] {
        (overview?.concerns ?? [])
            .map { concern in
                let family: KeyFamily = concern.isClientKey ? .client : .service
                let (kind, text): (String, String) =
                    switch concern.concern {
                    case .ending(let end): ("ending", "ends \(TimeView.relative(end, to: visit.moment))")
                    case .oldSecretInUse(let end, let used):
                        (
                            "rotating",
                            """
                            was rotated, and the old token was used \(TimeView.relative(used, to: visit.moment)). The old token ends \
                            \(TimeView.relative(end, to: visit.moment))
                            """
                        )
                    case .unused(let used?): ("unused", "not used since \(TimeView.date(used))")
                    case .unused(nil): ("unused", "never used")
                    }
                return [
                    "name": concern.name, "kind": kind, "text": text, "workspace": workspace.name ?? workspace.slug,
                    "path": "\(family.base(workspace.slug))/\(UUIDv7.text(of: concern.id))",
                ]
            }
    }
}

/// The values of workspaces in templates.
enum WorkspaceView {
    /// Returns the values.
    static func values(_ workspace: Workspace) -> [String: Any] {
        [
            "slug": workspace.slug, "name": workspace.name ?? workspace.slug, "state": workspace.state.rawValue,
            "stateName": workspace.state.rawValue.prefix(1).uppercased() + workspace.state.rawValue.dropFirst(),
            "isDefault": workspace.isDefault, "isActive": workspace.state == .active,
            "isSuspended": workspace.state == .suspended, "isArchived": workspace.state == .archived,
            "isHeld": workspace.isHeldByOperator && workspace.state != .active,
            "path": "/console/workspaces/\(workspace.slug)", "id": UUIDv7.text(of: workspace.id),
            "changed": OldPage.changed(workspace.updatedAt),
        ]
    }
}
