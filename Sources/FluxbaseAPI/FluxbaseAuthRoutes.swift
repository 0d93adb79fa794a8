import Endpoints
import HTTPTypes
import JSON
import Service

/// The operations on sessions of users.
struct FluxbaseAuthRoutes: Sendable {
    let context: FluxbaseContext

    var endpoints: [FluxbaseEndpoint] { [signIn, refresh, signOut, user] }

    private var sessions: SessionService { context.platform.sessions }

    private var signIn: FluxbaseEndpoint {
        FluxbaseEndpoint(
            .post,
            "/api/v1/auth/signin",
            id: "fluxbaseSignIn",
            tag: "Sessions",
            summary: "Sign in with an e-mail address and a password",
            access: .open,
            query: .ignored,
            body: .required(FluxbaseSchema.signIn),
            responses: [EndpointResult(.ok, "The session.", FluxbaseUserJSON.session)],
            problems: [.unauthorized, .forbidden, .rateLimited, .serviceUnavailable]
        ) { request in
            let session = try await context.signIn(request)
            return session.response(role: FluxbaseRole.name(session.memberships))
        }
    }

    private var refresh: FluxbaseEndpoint {
        FluxbaseEndpoint(
            .post,
            "/api/v1/auth/refresh",
            id: "fluxbaseRefresh",
            tag: "Sessions",
            summary: "Refresh a session",
            access: .open,
            query: .ignored,
            body: .required(FluxbaseSchema.refresh),
            responses: [EndpointResult(.ok, "The session.", FluxbaseUserJSON.session)],
            problems: [.unauthorized, .serviceUnavailable]
        ) { request in
            let session = try await context.refresh(request)
            return session.response(role: FluxbaseRole.name(session.memberships))
        }
    }

    private var signOut: FluxbaseEndpoint {
        FluxbaseEndpoint(
            .post,
            "/api/v1/auth/signout",
            id: "fluxbaseSignOut",
            tag: "Sessions",
            summary: "Sign out",
            access: .any(),
            query: .ignored,
            responses: [
                EndpointResult(.ok, "The session has ended. An admin key has no session.", FluxbaseOutcome.schema)
            ],
            problems: [.serviceUnavailable]
        ) { request in
            try await sessions.signOut(try context.caller(request))
            return FluxbaseOutcome.response("Signed out successfully")
        }
    }

    private var user: FluxbaseEndpoint {
        FluxbaseEndpoint(
            .get,
            "/api/v1/auth/user",
            id: "fluxbaseGetUser",
            tag: "Sessions",
            summary: "Get the signed-in user",
            access: .any(),
            query: .ignored,
            responses: [EndpointResult(.ok, "The user.", FluxbaseUserJSON.schema)],
            problems: [.serviceUnavailable]
        ) { request in
            let me = try await context.me(request)
            return .json(JSONValue.object(FluxbaseUserJSON.object(me.user, role: FluxbaseRole.name(me.memberships))))
        }
    }
}

extension FluxbaseContext {
    /// Signs in with the credentials in the body.
    func signIn(_ request: FluxbaseRequest) async throws -> SignedIn {
        do {
            return try await platform.sessions.signIn(
                email: try request.body.required("email"),
                password: try request.body.required("password"),
                from: origin(request)
            )
        } catch Refusal.unauthenticated {
            throw Problem(
                .unauthorized,
                code: FluxbaseProblems.Code.invalidCredentials,
                detail: "Invalid email or password",
                headers: Problem.unauthorized.headers
            )
        }
    }

    /// Refreshes the session of the refresh token in the body.
    func refresh(_ request: FluxbaseRequest) async throws -> SignedIn {
        do {
            return try await platform.sessions.refresh(
                try request.body.required("refresh_token"),
                from: origin(request)
            )
        } catch Refusal.unauthenticated {
            throw Problem(
                .unauthorized,
                code: FluxbaseProblems.Code.invalidToken,
                detail: "Invalid or expired refresh token",
                headers: Problem.unauthorized.headers
            )
        }
    }

    /// Returns the signed-in user.
    ///
    /// - Throws: A problem if the caller is a key, which is not a user.
    func me(_ request: FluxbaseRequest) async throws -> Me {
        guard let me = try await platform.sessions.me(try request.caller) else {
            throw Problem(.forbidden, code: "ACCESS_DENIED", detail: "A key is not a user; sign in first")
        }
        return me
    }
}
