import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Surfaces
import Tenancy

/// The operations that list the events of a workspace or an organization.
struct EventRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [list, listOfOrganization] }

    /// The parameters of every list of events.
    static let query = QuerySchema.page([
        QueryParameter(
            "type",
            .oneOf(EventType.allCases.map(\.rawValue)),
            "Only events of this type. Events of keys have types without a dot, such as `rotated`."
        ),
        QueryParameter(
            "actor",
            .string(min: 1, max: 255),
            """
            Only events of this actor: an actor as events have it, the e-mail address of a member, or the name of a key or the beginning of \
            its token. No event matches if nobody has the name. A caller without `keys:read` finds nobody but itself by a name.
            """
        ),
        QueryParameter("since", NativeSchema.time, "Only events at or after this instant."),
        QueryParameter("until", NativeSchema.time, "Only events before this instant."),
    ])

    /// The responses of every list of events.
    static let responses = [
        EndpointResult(.ok, "A page of events.", NativeSchema.page("EventPage", of: EventJSON.schema))
    ]

    private var list: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/workspaces/{workspace}/events",
            id: "listWorkspaceEvents",
            tag: NativeSurface.Tag.events,
            summary: "List the events of a workspace, newest first",
            description: "The events of the workspace and of its keys, deleted keys included.",
            access: .admin(.eventsRead),
            parameters: [.workspace],
            query: Self.query,
            responses: Self.responses,
            problems: [.conflict, .workspaceUnavailable, .serviceUnavailable, .rateLimited]
        ) { request in
            let name = try request.parameter("workspace")
            let home = try await context.platform.access.keys(ofWorkspace: name, for: try request.caller, .eventsRead)
            return try await Self.answer(request, key: nil, in: home, context)
        }
    }

    private var listOfOrganization: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/organizations/{organization}/events",
            id: "listOrganizationEvents",
            tag: NativeSurface.Tag.events,
            summary: "List the events of an organization, newest first",
            description:
                "The events of its members, sessions, admin keys and workspaces. Events of the keys inside a workspace are listed there.",
            access: .anybody(.eventsRead),
            parameters: [.organization],
            query: Self.query,
            responses: Self.responses,
            problems: [.conflict, .serviceUnavailable]
        ) { request in
            let name = try request.parameter("organization")
            let home = try await context.platform.access.keys(
                ofOrganization: name,
                for: try request.caller,
                .eventsRead
            )
            return try await Self.answer(request, key: nil, in: home, context)
        }
    }

    /// Returns one page of events: of one key, or of all keys in `home`.
    static func answer(
        _ request: NativeRequest,
        key: UUID?,
        in home: KeyCollection,
        _ context: NativeContext
    ) async throws -> EndpointResponse {
        let mark = CursorMark("events", of: home.workspaceID ?? home.organizationID, key)
        let page = try context.page(request, mark)
        var actors: [String]?
        if let name = try request.query.optional("actor", as: String.self) {
            actors = try await context.platform.keys.actors(named: name, in: home, for: try request.caller)
        }
        let filter = EventFilter(
            keyID: key,
            type: try request.query.optional("type"),
            actors: actors,
            since: try request.query.optional("since").flatMap(Timestamp.init(rfc3339:)),
            until: try request.query.optional("until").flatMap(Timestamp.init(rfc3339:))
        )
        let events = try await context.platform.keys.events(filter, page, in: home)
        return .page(events.items.map(EventJSON.init(event:)), nextCursor: mark.cursor(events.next?.text))
    }
}
