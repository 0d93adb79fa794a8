import Endpoints
import HTTPTypes
import JSON
import Keys
import People
import Service
import Surfaces
import Tenancy

/// The operations on session issuers.
///
/// Only operators can call them.
struct SessionIssuerRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [list, add, remove] }

    private static let path = "/v1/organizations/{organization}/session-issuers"
    private static let mark = CursorMark("session issuers")

    private static let issuer = Schema.string(min: 1, max: SessionIssuerService.issuerLength)
        .checked { value in
            (value.string?.utf8.count ?? 0) <= SessionIssuerService.issuerLength
                ? nil : "must have at most \(SessionIssuerService.issuerLength) bytes"
        }

    private static let create =
        Schema.object([
            .required("issuer", issuer.described("The exact value of the claim `iss`.")),
            .optional(
                "jwks_url",
                .string(min: 1, max: 2048).orNull.described("The https URL of the issuer's JSON Web Key Set.")
            ),
            .optional(
                "jwks_file",
                .string(min: 1, max: 4096).orNull.described("A file with the key set, on every node, instead of a URL.")
            ),
            .optional(
                "jwks",
                .anyObject(maximumBytes: 262_144).orNull.described("The JSON Web Key Set itself, instead of a URL.")
            ),
            .optional("algorithms", SessionIssuerJSON.algorithms.described("Defaults to `RS256`.")),
            .optional(
                "authorized_parties",
                SessionIssuerJSON.names.described("The accepted values of `azp`. By default `azp` is not checked.")
            ),
            .optional(
                "audiences",
                SessionIssuerJSON.names.described(
                    "The accepted values of `aud`. By default a token that has the claim is meant for somebody else, and is refused."
                )
            ),
            .optional(
                "read_roles",
                SessionIssuerJSON.names.described(
                    "The roles that can read the keys of the application's organizations."
                )
            ),
            .optional(
                "manage_roles",
                SessionIssuerJSON.names.described(
                    "The roles that can also create and revoke those keys. Defaults to `admin`."
                )
            ),
        ])
        .named("SessionIssuerAdd")

    private var list: NativeEndpoint {
        NativeEndpoint(
            .get,
            Self.path,
            id: "listSessionIssuers",
            tag: NativeSurface.Tag.sessionIssuers,
            summary: "List session issuers, newest first",
            access: .operator(Permission.platform.rawValue),
            parameters: [.organization],
            query: .page([]),
            responses: [
                EndpointResult(
                    .ok,
                    "A page of session issuers.",
                    NativeSchema.page("SessionIssuerPage", of: SessionIssuerJSON.schema)
                )
            ],
            problems: [.serviceUnavailable]
        ) { request in
            let found = try await context.platform.sessionIssuers.list(
                try context.page(request, Self.mark),
                organization: try request.parameter("organization"),
                by: try context.caller(request)
            )
            return .page(
                found.items.map(SessionIssuerJSON.init(issuer:)),
                nextCursor: Self.mark.cursor(found.next?.text)
            )
        }
    }

    private var add: NativeEndpoint {
        NativeEndpoint(
            .post,
            Self.path,
            id: "addSessionIssuer",
            tag: NativeSurface.Tag.sessionIssuers,
            summary: "Trust a session issuer",
            description: """
                The issuer's users can then manage their own client keys in this organization, through Clerk's dialect. An issuer \
                belongs to one organization. Exactly one of `jwks_url`, `jwks_file` and `jwks` is given.
                """,
            access: .operator(Permission.platform.rawValue),
            parameters: [.organization],
            body: .required(Self.create, maximumBytes: 262_144),
            responses: [
                EndpointResult(
                    .created,
                    "The session issuer.",
                    SessionIssuerJSON.schema,
                    headers: [NativeSchema.replayed]
                )
            ],
            problems: [.serviceUnavailable],
            takesIdempotencyKey: true
        ) { request in
            let new = NewSessionIssuer(
                issuer: try request.body.required("issuer"),
                keys: try keys(request.body),
                algorithms: try request.body.optional("algorithms") ?? ["RS256"],
                authorizedParties: try request.body.optional("authorized_parties") ?? [],
                audiences: try request.body.optional("audiences") ?? [],
                readRoles: try request.body.optional("read_roles") ?? [],
                manageRoles: try request.body.optional("manage_roles") ?? ["admin"]
            )
            let organization = try await context.platform.access.organization(
                request.parameter("organization"),
                for: try request.caller
            )
            let id = UUIDv7.text(of: organization.id)
            let added = try await context.platform.sessionIssuers.add(
                new,
                organization: id,
                by: try context.caller(request, path: "/v1/organizations/\(id)/session-issuers"),
                answer: { SessionIssuerJSON(issuer: $0).stored }
            )
            return .stored(added.answer, isReplay: added.isReplay, status: .created)
        }
    }

    /// Returns the source of the issuer's keys, of which the body must name exactly one.
    private func keys(_ body: Fields) throws -> SessionIssuer.KeySource {
        let sources: [SessionIssuer.KeySource?] = [
            try body.optional("jwks_url", as: String.self).map { .url($0) },
            try body.optional("jwks_file", as: String.self).map { .file($0) },
            try body.optional("jwks", as: JSONObject.self).map { .inline(JSONValue.object($0).text) },
        ]
        let given = sources.compactMap { $0 }
        guard given.count == 1, let source = given.first else {
            throw Problem.invalidRequest(
                .body("jwks_url", detail: "must be given, or else jwks_file or jwks, and only one")
            )
        }
        return source
    }

    private var remove: NativeEndpoint {
        NativeEndpoint(
            .delete,
            Self.path + "/{id}",
            id: "removeSessionIssuer",
            tag: NativeSurface.Tag.sessionIssuers,
            summary: "Stop trusting a session issuer",
            access: .operator(Permission.platform.rawValue),
            parameters: [.organization, .id(of: "session issuer")],
            responses: [EndpointResult(.noContent, "The issuer's sessions are refused from now on.")],
            problems: [.serviceUnavailable]
        ) { request in
            guard let id = UUIDv7.parse(try request.parameter("id")) else { throw Refusal.notFound }
            try await context.platform.sessionIssuers.remove(
                id,
                organization: try request.parameter("organization"),
                by: try context.caller(request)
            )
            return .noContent
        }
    }
}
