import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import Keys
import People
import Service
import Surfaces
import Tenancy

/// The operations on members.
struct MemberRoutes: Sendable {
    let context: NativeContext

    var endpoints: [NativeEndpoint] { [list, add, get, change, remove, unbind] }

    private static let path = "/v1/organizations/{organization}/members"
    private static let mark = CursorMark("members")
    /// The schema of a new password.
    static let password = Schema.string(min: NewPassword.length.lowerBound, max: NewPassword.length.upperBound)
    private static let email = Schema.string(min: 3, max: 254)
        .checked { value in
            guard let text = value.string, EmailAddress(text) == nil else { return nil }
            return "must be an e-mail address such as ada@example.com, of ASCII characters only"
        }

    /// Declares an operation.
    private func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        description: String = "",
        query: QuerySchema = .none,
        body: RequestBodySchema? = nil,
        response: EndpointResult? = nil,
        responses: [EndpointResult] = [],
        problems: [Problem.Kind] = [],
        makes: Bool = false,
        waits: WaitLimit = .usual,
        handler: @escaping @Sendable (_ organization: String, _ request: NativeRequest) async throws -> EndpointResponse
    ) -> NativeEndpoint {
        NativeEndpoint(
            method,
            Self.path + suffix,
            id: id,
            tag: NativeSurface.Tag.members,
            summary: summary,
            description: description,
            access: .anybody(.membersWrite),
            parameters: suffix.isEmpty ? [.organization] : [.organization, .member],
            query: query,
            body: body,
            responses: responses + [response].compactMap(\.self),
            problems: problems + [.serviceUnavailable],
            takesIdempotencyKey: makes,
            waits: waits
        ) { request in
            try await handler(try request.parameter("organization"), request)
        }
    }

    private func role(_ body: Fields) throws -> MemberRole {
        guard let role = MemberRole(rawValue: try body.required("role")) else { throw FieldMismatch(name: "role") }
        return role
    }

    /// Returns the workspace of the role.
    ///
    /// `nil` means the whole organization.
    private func workspace(_ body: Fields) throws -> UUID? {
        guard let text: String = try body.optional("workspace_id") else { return nil }
        guard let id = UUIDv7.parse(text.lowercased()) else { throw FieldMismatch(name: "workspace_id") }
        return id
    }

    private func member(_ request: NativeRequest) throws -> UUID {
        guard let id = UUIDv7.parse(try request.parameter("id")) else { throw Refusal.notFound }
        return id
    }

    private var list: NativeEndpoint {
        endpoint(
            .get,
            "",
            id: "listMembers",
            "List members, newest first",
            description: "A caller that manages only some workspaces sees the members of those workspaces.",
            query: .page([
                QueryParameter("workspace_id", NativeSchema.id, "Only members of this workspace."),
                QueryParameter("role", MemberJSON.role, "Only members with this role."),
                NativeSchema.query("A part of the e-mail address or the name."),
            ]),
            response: EndpointResult(
                .ok,
                "A page of members.",
                NativeSchema.page("MemberPage", of: MemberJSON.schema)
            )
        ) { organization, request in
            let filter = MemberFilter(
                workspaceID: try request.query.optional("workspace_id", as: String.self)
                    .flatMap { UUIDv7.parse($0.lowercased()) },
                role: try request.query.optional("role").flatMap(MemberRole.init(rawValue:)),
                query: try request.query.optional("query")
            )
            let found = try await context.platform.members.list(
                try context.page(request, Self.mark),
                filter: filter,
                organization: organization,
                by: try context.caller(request)
            )
            return .page(found.items.map(MemberJSON.init(member:)), nextCursor: Self.mark.cursor(found.next?.text))
        }
    }

    private var add: NativeEndpoint {
        endpoint(
            .post,
            "",
            id: "addMember",
            "Add a member",
            description: """
                An existing user of the organization gets one more role; name and password are then checked and ignored. Otherwise \
                a user is created. No mail is sent. Only owners add owners, and an admin key gives no role with more \
                permissions than it has. Only an operator can add a user of another organization.
                """,
            body: .required(
                .object([
                    .required("email", Self.email),
                    .required("role", MemberJSON.role),
                    .optional("workspace_id", NativeSchema.id.orNull.described("Defaults to the whole organization.")),
                    .optional("name", NativeSchema.name.orNull),
                    .optional(
                        "password",
                        Self.password.orNull.described(
                            "Without a password the member can sign in only with the identity provider, if there is one."
                        )
                    ),
                ])
                .named("MemberAdd")
            ),
            response: EndpointResult(
                .created,
                "The member.",
                MemberJSON.schema,
                headers: [NativeSchema.replayed]
            ),
            makes: true
        ) { organization, request in
            let new = NewMember(
                email: try request.body.required("email"),
                role: try role(request.body),
                workspaceID: try workspace(request.body),
                name: try request.body.optional("name"),
                password: try request.body.optional("password")
            )
            let id = try await context.platform.access.organization(organization, for: try request.caller).id
            let path = "/v1/organizations/\(UUIDv7.text(of: id))/members"
            let made = try await context.platform.members.add(
                new,
                organization: UUIDv7.text(of: id),
                by: try context.caller(request, path: path),
                answer: { MemberJSON(member: $0).stored }
            )
            return .stored(made.answer, isReplay: made.isReplay, status: .created)
        }
    }

    private var get: NativeEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "getMember",
            "Get a member",
            response: EndpointResult(.ok, "The member.", MemberJSON.schema)
        ) { organization, request in
            let id = try member(request)
            let caller = try context.caller(request)
            return .json(
                MemberJSON(member: try await context.platform.members.get(id, organization: organization, by: caller))
            )
        }
    }

    private var change: NativeEndpoint {
        endpoint(
            .patch,
            "/{id}",
            id: "updateMember",
            "Change a member's role, name or password",
            description: """
                An absent member stays as it is. A null name removes the name. A new password ends the member's \
                sessions. The caller must be able to give every role that the user has. The role of the last owner \
                cannot be changed.
                """,
            body: .required(
                .object([
                    .optional("role", MemberJSON.role),
                    .optional("name", NativeSchema.name.orNull),
                    .optional("password", Self.password),
                ])
                .named("MemberPatch")
            ),
            response: EndpointResult(.ok, "The member.", MemberJSON.schema)
        ) { organization, request in
            var change = MemberChange(
                role: try request.body.optional("role").flatMap(MemberRole.init(rawValue:)),
                password: try request.body.optional("password")
            )
            switch try request.body.change("name", as: String.self) {
            case .keep: break
            case .clear: change.name = .some(nil)
            case .set(let text): change.name = text
            }
            let caller = try context.caller(request)
            let id = try member(request)
            return .json(
                MemberJSON(
                    member: try await context.platform.members.change(
                        id,
                        change,
                        organization: organization,
                        by: caller
                    )
                )
            )
        }
    }

    private var unbind: NativeEndpoint {
        endpoint(
            .delete,
            "/{id}/identity",
            id: "unbindMember",
            "Separate a member from an account of the identity provider",
            description: """
                The first sign-in with the identity provider binds its account to the member of the verified e-mail \
                address, and another account with that address is refused. Afterwards the next account takes its \
                place. The member's sessions end. Only an owner or an operator can do this.
                """,
            responses: [EndpointResult(.noContent, "The member has no account of the identity provider.")]
        ) { organization, request in
            try await context.platform.members.unbindIdentity(
                of: try member(request),
                organization: organization,
                by: try context.caller(request)
            )
            return .noContent
        }
    }

    private var remove: NativeEndpoint {
        endpoint(
            .delete,
            "/{id}",
            id: "removeMember",
            "Remove a member",
            description: """
                The member's sessions end at once. A user without any other role is deleted. The last owner cannot be \
                removed. The user's client keys in workspaces that the user can no longer enter are disabled, unless \
                `client_keys` names something else. If such a workspace cannot be reached, the member stays; with \
                `client_keys=keep` the member is removed in any case. If a workspace cannot be reached any more after the \
                member was removed, the answer is 503, too: a repetition, or Mortise itself, changes the keys there.
                """,
            query: QuerySchema([
                QueryParameter(
                    "client_keys",
                    ClientKeyRetirementRoutes.fate,
                    "The outcome for the member's client keys. Defaults to `disable`."
                )
            ]),
            responses: [
                EndpointResult(.noContent, "The member was removed. The request did not name `client_keys`."),
                EndpointResult(
                    .ok,
                    "The member was removed. The request named `client_keys`.",
                    ClientKeyRetirementRoutes.outcome
                ),
            ],
            problems: [.workspaceUnavailable],
            // A member can have client keys in many workspaces.
            waits: .long
        ) { organization, request in
            let caller = try context.caller(request)
            let fate = try request.query.optional("client_keys").flatMap(ClientKeyTreatment.init(rawValue:))
            let count = try await context.platform.members.remove(
                try member(request),
                clientKeys: fate ?? .disable,
                organization: organization,
                by: caller
            )
            return fate.map { ClientKeyRetirementRoutes.answer(count, $0) } ?? .noContent
        }
    }
}
