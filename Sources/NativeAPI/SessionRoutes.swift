import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations with which members sign in, refresh a session and sign out.
struct SessionRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [signIn, exchange, refresh, signOut, me, changePassword] }

    private static let password = Schema.string(min: 1, max: 1024)

    private func origin(_ request: NativeRequest) -> RequestOrigin {
        RequestOrigin(
            address: context.clients.address(request.headers, request.context.remoteAddress),
            requestID: request.context.requestID
        )
    }

    /// Replaces the detail of a refusal: here the wrong credential is in the body, not in `Authorization`.
    private func refusing(
        _ detail: String,
        _ body: () async throws -> EndpointResponse
    ) async throws -> EndpointResponse {
        do {
            return try await body()
        } catch Refusal.unauthenticated {
            var problem = Problem.unauthorized
            problem.detail = detail
            throw problem
        }
    }

    private var signIn: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/sessions",
            id: "signIn",
            tag: NativeSurface.Tag.sessions,
            summary: "Sign in",
            description: """
                A credential in the request is not looked at. Failures are counted for the account and the client's \
                address together, so that nobody can lock out somebody else.
                """,
            access: .open,
            body: .required(
                .object([
                    .required("email", .string(min: 1, max: 254)),
                    .required("password", Self.password),
                    .optional(
                        "organization",
                        .string(min: 1, max: 255).orNull
                            .described(
                                "The id or slug of the organization to act in. Defaults to the one that the user has belonged to longest."
                            )
                    ),
                ])
                .named("SignIn")
            ),
            responses: [EndpointResult(.created, "The session and its tokens.", SessionJSON.schema)],
            problems: [.forbidden, .unauthorized, .rateLimited, .serviceUnavailable]
        ) { request in
            let (email, password): (String, String) = (
                try request.body.required("email"), try request.body.required("password")
            )
            let organization: String? = try request.body.optional("organization")
            return try await refusing("The address or the password is wrong.") {
                let session = try await context.platform.sessions.signIn(
                    email: email,
                    password: password,
                    organization: organization,
                    from: origin(request)
                )
                return .json(SessionJSON(session: session), status: .created)
            }
        }
    }

    private var exchange: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/sessions/code",
            id: "exchangeSignInCode",
            tag: NativeSurface.Tag.sessions,
            summary: "Exchange a code of the console for a session",
            description: """
                A program on a person's machine opens `/console/login` in the person's browser, with its challenge of PKCE. The person \
                confirms, and the browser brings the program a code, which works once within a minute. `mortise login --browser` does this.
                """,
            access: .open,
            body: .required(
                .object([
                    .required("code", .string(min: 1, max: 512)),
                    .required(
                        "code_verifier",
                        .string(min: 43, max: 128).described("The text whose digest is the challenge.")
                    ),
                ])
                .named("SignInCode")
            ),
            responses: [EndpointResult(.created, "The session and its tokens.", SessionJSON.schema)],
            problems: [.unauthorized, .serviceUnavailable]
        ) { request in
            let (code, verifier): (String, String) = (
                try request.body.required("code"), try request.body.required("code_verifier")
            )
            return try await refusing("The code is unknown, late or used, or was made for another program.") {
                let session = try await context.platform.sessions.begin(
                    code: code,
                    verifier: verifier,
                    from: origin(request)
                )
                return .json(SessionJSON(session: session), status: .created)
            }
        }
    }

    private var refresh: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/sessions/refresh",
            id: "refreshSession",
            tag: NativeSurface.Tag.sessions,
            summary: "Refresh a session",
            description:
                "The answer also replaces the refresh token. A second use of a refresh token ends the session.",
            access: .open,
            body: .required(
                .object([.required("refresh_token", .string(min: 1, max: 255))]).named("SessionRefresh")
            ),
            responses: [EndpointResult(.ok, "The session and its new tokens.", SessionJSON.schema)],
            problems: [.unauthorized, .serviceUnavailable]
        ) { request in
            let token: String = try request.body.required("refresh_token")
            return try await refusing("The refresh token is unknown or was used, or its session has ended.") {
                .json(SessionJSON(session: try await context.platform.sessions.refresh(token, from: origin(request))))
            }
        }
    }

    private var signOut: NativeEndpoint {
        NativeEndpoint(
            .delete,
            "/v1/sessions/current",
            id: "signOut",
            tag: NativeSurface.Tag.sessions,
            summary: "Sign out",
            description: "The session's tokens are refused from now on.",
            access: .any(),
            responses: [EndpointResult(.noContent, "The session has ended.")],
            problems: [.forbidden, .serviceUnavailable]
        ) { request in
            let caller = try context.caller(request)
            guard caller.principal.member != nil else { throw Refusal.forbiddenKind("Only members have a session.") }
            try await context.platform.sessions.signOut(caller)
            return .noContent
        }
    }

    private var me: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/me",
            id: "getMe",
            tag: NativeSurface.Tag.sessions,
            summary: "Get the current identity and its permissions",
            access: .any(),
            responses: [EndpointResult(.ok, "The caller.", MeJSON.schema)],
            problems: [.forbidden, .serviceUnavailable]
        ) { request in
            let principal = try request.caller
            return .json(MeJSON(principal: principal, me: try await context.platform.sessions.me(principal)))
        }
    }

    private var changePassword: NativeEndpoint {
        NativeEndpoint(
            .put,
            "/v1/me/password",
            id: "changePassword",
            tag: NativeSurface.Tag.sessions,
            summary: "Change your own password",
            description: "The member's other sessions end.",
            access: .any(),
            body: .required(
                .object([
                    .required("current_password", Self.password),
                    .required("new_password", MemberRoutes.password),
                ])
                .named("PasswordChange")
            ),
            responses: [EndpointResult(.noContent, "The password was changed.")],
            problems: [.forbidden, .rateLimited, .serviceUnavailable]
        ) { request in
            try await context.platform.members.changePassword(
                current: try request.body.required("current_password"),
                new: try request.body.required("new_password"),
                by: try context.caller(request)
            )
            return .noContent
        }
    }
}
