import Endpoints
import HTTPTypes
import JSON
import Keys
import Service

/// The operations on sessions of admins of the whole organization, and the set-up of the first admin.
struct FluxbaseAdminRoutes: Sendable {
    let context: FluxbaseContext

    var endpoints: [FluxbaseEndpoint] { [login, refresh, logout, me, status, setup] }

    private func endpoint(
        _ method: EndpointMethod,
        _ path: String,
        id: String,
        _ summary: String,
        access: Access = .open,
        body: RequestBodySchema? = nil,
        _ response: EndpointResult,
        handler: @escaping FluxbaseEndpoint.Handler
    ) -> FluxbaseEndpoint {
        FluxbaseEndpoint(
            method,
            "/api/v1/admin/\(path)",
            id: id,
            tag: "Sessions",
            summary: summary,
            access: access,
            query: .ignored,
            body: body,
            responses: [response],
            problems: [.unauthorized, .forbidden, .conflict, .rateLimited, .serviceUnavailable],
            handler: handler
        )
    }

    private var login: FluxbaseEndpoint {
        endpoint(
            .post,
            "login",
            id: "fluxbaseAdminLogin",
            "Sign in as an admin of the whole organization",
            body: .required(FluxbaseSchema.signIn),
            EndpointResult(.ok, "The session.", FluxbaseUserJSON.session)
        ) { request in
            try await answer(request, to: try await context.signIn(request))
        }
    }

    private var refresh: FluxbaseEndpoint {
        endpoint(
            .post,
            "refresh",
            id: "fluxbaseAdminRefresh",
            "Refresh a session",
            body: .required(FluxbaseSchema.refresh),
            EndpointResult(.ok, "The session.", FluxbaseUserJSON.session)
        ) { request in
            try await answer(request, to: try await context.refresh(request))
        }
    }

    /// Returns the session to an admin.
    ///
    /// The session of any other user is ended and not returned.
    private func answer(_ request: FluxbaseRequest, to session: SignedIn) async throws -> EndpointResponse {
        guard FluxbaseRole.managesInstance(session.memberships) else {
            let origin = context.origin(request)
            let caller = Caller(
                principal: session.principal,
                address: origin.address?.description,
                requestID: origin.requestID
            )
            try await context.platform.sessions.signOut(caller)
            throw Problem(.forbidden, code: FluxbaseProblems.Code.adminRequired, detail: "Admin role required")
        }
        return session.response(role: FluxbaseRole.instanceAdmin)
    }

    private var logout: FluxbaseEndpoint {
        endpoint(
            .post,
            "logout",
            id: "fluxbaseAdminLogout",
            "Sign out",
            access: .any(),
            EndpointResult(.ok, "The session has ended. A key has no session.", FluxbaseOutcome.schema)
        ) { request in
            try await context.platform.sessions.signOut(try context.caller(request))
            return FluxbaseOutcome.response("Logged out successfully")
        }
    }

    private var me: FluxbaseEndpoint {
        endpoint(
            .get,
            "me",
            id: "fluxbaseAdminMe",
            "Get the signed-in admin",
            access: .any(),
            EndpointResult(.ok, "The admin.", .object([.required("user", FluxbaseUserJSON.schema)]))
        ) { request in
            let me = try await context.me(request)
            guard FluxbaseRole.managesInstance(me.memberships) else {
                throw Problem(.forbidden, code: FluxbaseProblems.Code.adminRequired, detail: "Admin role required")
            }
            let user = FluxbaseUserJSON.object(me.user, role: FluxbaseRole.instanceAdmin)
            return .object { $0.member("user", JSONValue.object(user)) }
        }
    }

    private var status: FluxbaseEndpoint {
        endpoint(
            .get,
            "setup/status",
            id: "fluxbaseSetupStatus",
            "Check whether the first admin must still be created",
            EndpointResult(
                .ok,
                "The state of the set-up.",
                .object([.required("needs_setup", .boolean), .required("has_admin", .boolean)])
            )
        ) { _ in
            let isNeeded = try await context.platform.members.needsSetUp()
            return .object {
                $0.member("needs_setup", isNeeded)
                $0.member("has_admin", !isNeeded)
            }
        }
    }

    private var setup: FluxbaseEndpoint {
        endpoint(
            .post,
            "setup",
            id: "fluxbaseSetup",
            "Create the first admin. The setup token is an operator key, or an admin key of the organization `default`",
            body: .required(FluxbaseSchema.setup),
            EndpointResult(.created, "The session.", FluxbaseUserJSON.session)
        ) { request in
            do {
                let session = try await context.platform.members.setUp(
                    email: try request.body.required("email"),
                    password: try request.body.required("password"),
                    name: try request.body.required("name"),
                    setupToken: try request.body.required("setup_token"),
                    from: context.origin(request)
                )
                return session.response(role: FluxbaseRole.instanceAdmin, status: .created)
            } catch Refusal.unauthenticated {
                throw Problem(
                    .unauthorized,
                    code: FluxbaseProblems.Code.invalidToken,
                    detail: "Invalid setup token",
                    headers: Problem.unauthorized.headers
                )
            }
        }
    }
}
