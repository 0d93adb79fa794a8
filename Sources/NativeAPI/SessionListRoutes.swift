import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import People
import Service
import Surfaces

/// The operations on lists of sessions: a member's own, and those of a member for those who manage members.
struct SessionListRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [own, endOne, endOthers, ofMember, endAllOfMember] }

    private static let ownPath = "/v1/me/sessions"
    private static let memberPath = "/v1/organizations/{organization}/members/{id}/sessions"
    private static let memberParameters = [PathParameter.organization, .member]

    private static let ended =
        Schema.object([
            .required("sessions", .integer(0...1_000_000).described("The number of sessions that ended."))
        ])
        .named("SessionsEnded")

    private func id(_ request: NativeRequest) throws -> UUID {
        guard let id = UUIDv7.parse(try request.parameter("id")) else { throw Refusal.notFound }
        return id
    }

    private static func answer(_ count: Int) -> EndpointResponse {
        .object { $0.member("sessions", count) }
    }

    private func answer(_ sessions: [SessionSummary], _ request: NativeRequest) throws -> EndpointResponse {
        let current = try request.caller.member?.sessionID
        return .page(sessions.map { SessionSummaryJSON(session: $0, isCurrent: $0.id == current) }, nextCursor: nil)
    }

    private var own: NativeEndpoint {
        NativeEndpoint(
            .get,
            Self.ownPath,
            id: "listOwnSessions",
            tag: NativeSurface.Tag.sessions,
            summary: "List your own sessions, newest first",
            description: "The 100 newest sessions that have not ended.",
            access: .any(),
            responses: [EndpointResult(.ok, "The sessions.", SessionSummaryJSON.page)],
            problems: [.forbidden, .serviceUnavailable]
        ) { request in
            try answer(try await context.platform.ownSessions.list(try context.caller(request)), request)
        }
    }

    private var endOne: NativeEndpoint {
        NativeEndpoint(
            .delete,
            Self.ownPath + "/{id}",
            id: "endOwnSession",
            tag: NativeSurface.Tag.sessions,
            summary: "End one of your own sessions",
            access: .any(),
            parameters: [.id(of: "session")],
            responses: [EndpointResult(.noContent, "The session's tokens are refused from now on.")],
            problems: [.forbidden, .serviceUnavailable]
        ) { request in
            let id = try id(request)
            try await context.platform.ownSessions.end(id, by: try context.caller(request))
            return .noContent
        }
    }

    private var endOthers: NativeEndpoint {
        NativeEndpoint(
            .delete,
            Self.ownPath,
            id: "endOtherSessions",
            tag: NativeSurface.Tag.sessions,
            summary: "End your other sessions",
            description: "The session of the request stays.",
            access: .any(),
            responses: [EndpointResult(.ok, "The sessions have ended.", Self.ended)],
            problems: [.forbidden, .serviceUnavailable]
        ) { request in
            Self.answer(try await context.platform.ownSessions.endOthers(try context.caller(request)))
        }
    }

    private var ofMember: NativeEndpoint {
        NativeEndpoint(
            .get,
            Self.memberPath,
            id: "listMemberSessions",
            tag: NativeSurface.Tag.members,
            summary: "List the sessions of a member, newest first",
            description: """
                The 100 newest sessions of the user in this organization that have not ended. A caller that manages only some \
                workspaces sees them if the user has no role elsewhere.
                """,
            access: .anybody(.membersWrite),
            parameters: Self.memberParameters,
            responses: [EndpointResult(.ok, "The sessions.", SessionSummaryJSON.page)],
            problems: [.serviceUnavailable]
        ) { request in
            let id = try id(request)
            let found = try await context.platform.members.sessions(
                of: id,
                organization: try request.parameter("organization"),
                by: try context.caller(request)
            )
            return try answer(found, request)
        }
    }

    private var endAllOfMember: NativeEndpoint {
        NativeEndpoint(
            .delete,
            Self.memberPath,
            id: "endMemberSessions",
            tag: NativeSurface.Tag.members,
            summary: "End the sessions of a member",
            description: """
                The user's sessions in this organization end, and the user can sign in again. The caller must be able to remove every \
                role that the user has here.
                """,
            access: .anybody(.membersWrite),
            parameters: Self.memberParameters,
            responses: [EndpointResult(.ok, "The sessions have ended.", Self.ended)],
            problems: [.serviceUnavailable]
        ) { request in
            let id = try id(request)
            return Self.answer(
                try await context.platform.members.endSessions(
                    of: id,
                    organization: try request.parameter("organization"),
                    by: try context.caller(request)
                )
            )
        }
    }
}

/// The JSON of a session in a list of the native API.
struct SessionSummaryJSON: JSONWritable {
    let session: SessionSummary
    /// True if the request was sent with the session.
    let isCurrent: Bool

    private static let schema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("organization_id", NativeSchema.id.described("The organization that the session acts in.")),
            .required("is_current", .boolean.described("True for the session of the request.")),
            .required("address", .string(max: 64).orNull.described("The address that the user signed in from.")),
            .required("created_at", NativeSchema.time),
            .required("refresh_until", NativeSchema.time.described("The session ends then, unless it is refreshed.")),
            .required("expires_at", NativeSchema.time.described("The session ends then in any case.")),
        ])
        .named("SessionSummary")

    static let page = NativeSchema.page("SessionList", of: schema)

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", UUIDv7.text(of: session.id))
            $0.member("organization_id", UUIDv7.text(of: session.organizationID))
            $0.member("is_current", isCurrent)
            $0.member("address", session.address)
            $0.member("created_at", session.createdAt.rfc3339)
            $0.member("refresh_until", session.refreshUntil.rfc3339)
            $0.member("expires_at", session.expiresAt.rfc3339)
        }
    }
}
