import Endpoints
import FoundationEssentials
import HTTPTypes
import KeyStore
import Keys
import Service
import Surfaces
import Tenancy

/// The events of a workspace, and of an organization.
struct EventRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [list, listOfOrganization] }

    /// The parameters of every list of events.
    static let query = QuerySchema.page([
        QueryParameter("type", .string(min: 1, max: 64), "Only events of this type, such as `rotated`."),
        QueryParameter("actor", .string(min: 1, max: 255), "Only events by this actor."),
        QueryParameter("since", NativeSchema.time, "Not before this instant."),
        QueryParameter("until", NativeSchema.time, "Before this instant."),
    ])

    /// The answer of every list of events.
    static let responses = [
        EndpointResult(.ok, "A page of events.", NativeSchema.page("EventPage", of: EventJSON.schema))
    ]

    private var list: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/workspaces/{workspace}/events",
            id: "listWorkspaceEvents",
            tag: NativeSurface.Tag.events,
            summary: "List what happened in a workspace, newest first",
            description: "Events of its keys, also of those that are gone, and of the workspace itself.",
            access: .admin(.eventsRead),
            parameters: [DomainSchema.workspaceParameter],
            query: Self.query,
            responses: Self.responses,
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited]
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
            summary: "List what happened in an organization, newest first",
            description:
                "Events of its members, sessions, admin keys and workspaces; what happened to the keys inside a workspace is there.",
            access: .anybody(.eventsRead),
            parameters: [OrganizationRoutes.parameter],
            query: Self.query,
            responses: Self.responses,
            problems: [.serviceUnavailable]
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

    /// One page of the events of one key, or of all in one place.
    static func answer(
        _ request: NativeRequest,
        key: UUID?,
        in home: KeyHome,
        _ context: NativeContext
    ) async throws -> EndpointResponse {
        let page = try context.page(request)
        let filter = EventFilter(
            keyID: key,
            type: try request.query.optional("type"),
            actor: try request.query.optional("actor"),
            since: try request.query.optional("since").flatMap(Timestamp.init(rfc3339:)),
            until: try request.query.optional("until").flatMap(Timestamp.init(rfc3339:))
        )
        let events = try await context.platform.keys.events(filter, page, in: home)
        return .page(events.items.map(EventJSON.init(event:)), nextCursor: events.next?.text)
    }
}
