import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Tenancy

/// The history of the organization and of a workspace.
struct EventRoutes: Sendable {
    let context: ConsoleContext

    var endpoints: [ConsoleEndpoint] {
        [ofOrganization, ofWorkspace, fileOfOrganization, fileOfWorkspace]
    }

    private static let organizationPath = "/console/events"
    private static let workspacePath = "/console/workspaces/{workspace}/events"

    private func keys(ofOrganization visit: Visit) async throws -> KeyCollection {
        try await visit.platform.access.keys(ofOrganization: visit.organization, for: visit.principal, .eventsRead)
    }

    private func keys(ofWorkspace visit: Visit) async throws -> KeyCollection {
        try await visit.platform.access.keys(
            ofWorkspace: visit.request.parameter("workspace"),
            for: visit.principal,
            .eventsRead
        )
    }

    private var ofOrganization: ConsoleEndpoint {
        context.page(Self.organizationPath, id: "consoleEvents") { visit in
            let keys = try await keys(ofOrganization: visit)
            return try await page(keys, Self.organizationPath, in: .events, [:], visit, namingWorkspaces: true)
        }
    }

    private var ofWorkspace: ConsoleEndpoint {
        context.page(Self.workspacePath, id: "consoleWorkspaceEvents") { visit in
            let keys = try await keys(ofWorkspace: visit)
            guard let workspace = keys.workspace else { throw Refusal.notFound }
            let values = ["workspace": WorkspaceView.values(workspace)]
            return try await page(
                keys,
                "/console/workspaces/\(workspace.slug)/events",
                in: .workspaces,
                values,
                visit
            )
        }
    }

    private func page(
        _ keys: KeyCollection,
        _ path: String,
        in section: Section,
        _ more: [String: Any],
        _ visit: Visit,
        namingWorkspaces: Bool = false
    ) async throws -> EndpointResponse {
        let search = try await EventSearch(visit, in: keys)
        let page = try await visit.platform.keys.events(search.filter(), search.page, in: keys)
        let names = try await visit.platform.keys.names(of: EventView.actors(page.items), for: visit.principal)
        let workspaces = await namingWorkspaces ? workspaceNames(of: page.items, visit) : [:]
        var values = search.values(at: path, page.next)
        values["events"] = page.items.map { event in
            EventView(event, names, workspace: event.workspaceID.flatMap { workspaces[$0] }).values(at: visit.moment)
        }
        values["hasEvents"] = !page.items.isEmpty
        values.merge(more) { _, new in new }
        return try await visit.page("events", title: "Events", in: section, values)
    }

    /// Returns the names of the workspaces that events are about.
    ///
    /// A workspace that was deleted has none.
    private func workspaceNames(of events: [EventRecord], _ visit: Visit) async -> [UUID: String] {
        var names: [UUID: String] = [:]
        for id in Set(events.compactMap(\.workspaceID)) {
            let workspace = try? await visit.platform.workspaces.get(UUIDv7.text(of: id), by: visit.caller)
            names[id] = workspace.map { $0.name ?? $0.slug }
        }
        return names
    }

    private var fileOfOrganization: ConsoleEndpoint {
        context.page("\(Self.organizationPath).csv", id: "consoleEventFile", waits: .long) { visit in
            try await file(try await keys(ofOrganization: visit), visit)
        }
    }

    private var fileOfWorkspace: ConsoleEndpoint {
        context.page("\(Self.workspacePath).csv", id: "consoleWorkspaceEventFile", waits: .long) { visit in
            try await file(try await keys(ofWorkspace: visit), visit)
        }
    }

    private func file(_ keys: KeyCollection, _ visit: Visit) async throws -> EndpointResponse {
        let search = try await EventSearch(visit, in: keys)
        let faults = search.faults
        guard faults.isEmpty else { throw Problem(.invalidRequest, detail: faults.joined(separator: " ")) }
        var table = CSV([
            "occurred_at", "type", "actor", "address", "key_id", "key_name", "request_id", "changes", "id",
        ])
        let longest = visit.platform.keys.longestFile
        var position: PagePosition? = .first
        var count = 0
        while let asked = position, count < longest {
            let request = PageRequest(limit: min(100, longest - count), asked)
            let page = try await visit.platform.keys.events(search.filter(), request, in: keys)
            for event in page.items {
                table.append([
                    event.occurredAt.rfc3339, event.type, event.actor, event.address ?? "",
                    event.keyID.map(UUIDv7.text(of:)) ?? "", event.keyName ?? "", event.requestID ?? "", event.changes,
                    UUIDv7.text(of: event.id),
                ])
            }
            try visit.platform.keys.requireShort(fileOf: table.byteCount)
            count += page.items.count
            position = page.next.map { .after($0) }
        }
        if position != nil { table.appendCut(after: count) }
        return table.response("events")
    }
}

/// The filters of a list of events, as the query of its target has them.
struct EventSearch {
    private let fields: FormFields
    /// The actors that the query names; `nil` if it names none.
    private let actors: [String]?

    /// Creates the filters of a visit, and looks up the actor.
    init(_ visit: Visit, in keys: KeyCollection) async throws {
        fields = visit.query
        if let name = visit.query.text("actor") {
            actors = try await visit.platform.keys.actors(named: name, in: keys, for: visit.principal)
        } else {
            actors = nil
        }
    }

    /// The text of the filter by actor, if it means nobody.
    private var unknownActor: String? { actors?.isEmpty == true ? fields.text("actor") : nil }

    /// The filters by day that are no days, each with its label.
    private var wrongDays: [(label: String, text: String)] {
        [("From", "since"), ("To", "until")]
            .compactMap { label, field -> (label: String, text: String)? in
                guard let text = fields.text(field), day(field) == nil else { return nil }
                return (label: label, text: text)
            }
    }

    /// The faults of the filters, as sentences.
    var faults: [String] {
        let days = wrongDays.map {
            "\u{201C}\($0.text)\u{201D} in \u{201C}\($0.label)\u{201D} is no day; enter one such as 2026-01-31."
        }
        return days + (unknownActor.map { ["There is no member and no key \u{201C}\($0)\u{201D}."] } ?? [])
    }

    /// Returns the start of the day in a field, or `nil` if it has none.
    private func day(_ field: String) -> Timestamp? {
        fields.text(field).flatMap { Timestamp(rfc3339: "\($0)T00:00:00Z") }
    }

    /// The page of the list.
    var page: PageRequest { PageRequest(limit: 50, PageCursor(fields["after"]).map { .after($0) } ?? .first) }

    /// Returns the filter of the use case.
    ///
    /// With a wrong day it finds nothing, as with an actor whom nobody knows.
    func filter(key: UUID? = nil) -> EventFilter {
        EventFilter(
            keyID: key,
            type: fields.text("type"),
            actors: wrongDays.isEmpty ? actors : [],
            since: day("since"),
            until: day("until").map { $0 + .seconds(86_400) }
        )
    }

    /// Returns the values of the form and of the links.
    func values(at path: String, _ next: PageCursor?) -> [String: Any] {
        var values: [String: Any] = [
            "path": path,
            "types": SelectView.options([("", "Any event")] + EventView.choices, selected: fields["type"]),
            "actor": fields["actor"], "since": fields["since"], "until": fields["until"],
            "csv": "\(path).csv\(fields.query(["after": ""]))", "hasNext": next != nil,
            "next": next.map { "\(path)\(fields.query(["after": $0.text]))" } ?? "",
            "isFiltered": ["type", "actor", "since", "until"].contains { fields.text($0) != nil },
        ]
        if let unknownActor { values["unknownActor"] = unknownActor }
        values["wrongDays"] = wrongDays.map { ["label": $0.label, "text": $0.text] }
        values["isUnderstood"] = unknownActor == nil && wrongDays.isEmpty
        return values
    }
}
