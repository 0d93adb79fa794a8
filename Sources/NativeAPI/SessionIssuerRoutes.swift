import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on session issuers, which are the operator's alone.
struct SessionIssuerRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [list, add, remove] }

    private static let path = "/v1/organizations/{organization}/session-issuers"

    private static let issuer = Schema.string(min: 1, max: SessionIssuerService.issuerLength)
        .checked { value in
            (value.string?.utf8.count ?? 0) <= SessionIssuerService.issuerLength
                ? nil : "must have at most \(SessionIssuerService.issuerLength) bytes"
        }

    private static let create =
        Schema.object([
            .required("issuer", issuer.described("The claim `iss`, to the letter.")),
            .optional("jwks_url", .string(min: 1, max: 2048).orNull.described("Where its public keys are; https.")),
            .optional("jwks_file", .string(min: 1, max: 4096).orNull.described("A file of every node instead.")),
            .optional("jwks", .anyObject(maximumBytes: 262_144).orNull.described("A JSON Web Key Set instead.")),
            .optional("algorithms", SessionIssuerJSON.algorithms.described("`RS256` by default.")),
            .optional(
                "authorized_parties",
                SessionIssuerJSON.names.described("What `azp` has to be one of; by default it is not looked at.")
            ),
            .optional(
                "read_roles",
                SessionIssuerJSON.names.described("Roles that see the keys of the application's organizations.")
            ),
            .optional(
                "manage_roles",
                SessionIssuerJSON.names.described("Roles that also make and revoke them; `admin` by default.")
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
            parameters: [OrganizationRoutes.parameter],
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
                try context.page(request),
                organization: try request.parameter("organization"),
                by: try context.caller(request)
            )
            return .page(found.items.map(SessionIssuerJSON.init(issuer:)), nextCursor: found.next?.text)
        }
    }

    private var add: NativeEndpoint {
        NativeEndpoint(
            .post,
            Self.path,
            id: "addSessionIssuer",
            tag: NativeSurface.Tag.sessionIssuers,
            summary: "Believe an issuer's sessions",
            description: """
                Its users then manage their own client keys in this organization. An issuer belongs to one organization. Exactly one of \
                `jwks_url`, `jwks_file` and `jwks` is given.
                """,
            access: .operator(Permission.platform.rawValue),
            parameters: [OrganizationRoutes.parameter],
            body: .required(Self.create, maximumBytes: 262_144),
            responses: [
                EndpointResult(
                    .created,
                    "The session issuer.",
                    SessionIssuerJSON.schema,
                    headers: [NativeSchema.replayed]
                )
            ],
            problems: [.conflict, .serviceUnavailable],
            takesIdempotencyKey: true
        ) { request in
            let new = NewSessionIssuer(
                issuer: try request.body.required("issuer"),
                keys: try keys(request.body),
                algorithms: try request.body.optional("algorithms") ?? ["RS256"],
                authorizedParties: try request.body.optional("authorized_parties") ?? [],
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

    /// Where the keys are: exactly one place.
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
            summary: "Believe an issuer's sessions no longer",
            access: .operator(Permission.platform.rawValue),
            parameters: [OrganizationRoutes.parameter, PathParameter("id", "The session issuer's id.")],
            responses: [EndpointResult(.noContent, "They are refused from now on.")],
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
