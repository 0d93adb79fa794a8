import Endpoints
import HTTPTypes
import JSON
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on organizations.
struct OrganizationRoutes: Sendable {
    let context: NativeContext

    private static let mark = CursorMark("organizations")

    var endpoints: [NativeEndpoint] { [create, list, get, update, delete] }

    private static let created =
        Schema.object([
            .required("organization", OrganizationJSON.schema),
            .required("default_workspace", WorkspaceJSON.schema),
            .required("admin_key", KeyJSON.schema),
            .required("token", .string(max: 255).described("The admin key's token. No other answer contains it.")),
        ])
        .named("OrganizationCreated")

    private var create: NativeEndpoint {
        NativeEndpoint(
            .post,
            "/v1/organizations",
            id: "createOrganization",
            tag: NativeSurface.Tag.organizations,
            summary: "Create an organization",
            description:
                "Creates the organization, its default workspace (active when the answer is sent) and its first admin key.",
            access: .operator(Permission.platform.rawValue),
            body: .required(
                .object([
                    .required("name", NativeSchema.name),
                    .optional("slug", DomainSchema.slug.orNull.described("Defaults to a slug made from the name.")),
                    .optional("token_prefix", NativeSchema.tokenPrefix.orNull),
                ])
                .named("OrganizationCreate")
            ),
            responses: [
                EndpointResult(
                    .created,
                    "The organization, its default workspace and its admin key.",
                    Self.created,
                    headers: [NativeSchema.replayed]
                )
            ],
            // A repeated request can find that the default workspace's database cannot be reached any more.
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited],
            takesIdempotencyKey: true,
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let new = NewOrganization(
                name: try request.body.required("name"),
                slug: try request.body.optional("slug"),
                tokenPrefix: try request.body.optional("token_prefix")
            )
            let caller = try context.caller(request, path: "/v1/organizations")
            let issued = try await context.platform.organizations.create(new, by: caller) { created in
                var writer = JSONWriter(capacity: 2048)
                writer.object {
                    $0.member("organization", OrganizationJSON(organization: created.organization))
                    $0.member("default_workspace", WorkspaceJSON(workspace: created.defaultWorkspace))
                    $0.member("admin_key", KeyJSON(created.adminKey, workspaceID: nil))
                }
                return String(decoding: writer.bytes, as: UTF8.self)
            }
            return .issued(issued.answer, token: issued.token, isReplay: issued.isReplay, status: .created)
        }
    }

    private var list: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/organizations",
            id: "listOrganizations",
            tag: NativeSurface.Tag.organizations,
            summary: "List organizations, newest first",
            description: "An operator key lists all organizations, an admin key only its own.",
            access: .any(),
            query: .page([NativeSchema.query("A part of the name or the slug.")]),
            responses: [
                EndpointResult(
                    .ok,
                    "A page of organizations.",
                    NativeSchema.page("OrganizationPage", of: OrganizationJSON.schema)
                )
            ],
            problems: [.forbidden, .serviceUnavailable, .rateLimited]
        ) { request in
            let page = try context.page(request, Self.mark)
            let query: String? = try request.query.optional("query")
            let found = try await context.platform.organizations.list(
                page,
                query: query,
                by: try context.caller(request)
            )
            return .page(
                found.items.map(OrganizationJSON.init(organization:)),
                nextCursor: Self.mark.cursor(found.next?.text)
            )
        }
    }

    private var get: NativeEndpoint {
        NativeEndpoint(
            .get,
            "/v1/organizations/{organization}",
            id: "getOrganization",
            tag: NativeSurface.Tag.organizations,
            summary: "Get an organization",
            access: .any(),
            parameters: [.organization],
            responses: [EndpointResult(.ok, "The organization.", OrganizationJSON.schema)],
            problems: [.forbidden, .serviceUnavailable, .rateLimited]
        ) { request in
            let name = try request.parameter("organization")
            let found = try await context.platform.organizations.get(name, by: try context.caller(request))
            return .json(OrganizationJSON(organization: found))
        }
    }

    private var update: NativeEndpoint {
        NativeEndpoint(
            .patch,
            "/v1/organizations/{organization}",
            id: "updateOrganization",
            tag: NativeSurface.Tag.organizations,
            summary: "Change an organization",
            description: """
                Operators change everything. Admin keys and members with `keys:write` and `webhooks:write` in the whole organization \
                change `expiry_notice_days`, `unused_after_days` and `leak_action`. An absent member stays as it is. Existing tokens \
                keep their prefix, also when they are rotated. With a null `token_prefix`, new keys have the prefix of their kind.
                """,
            access: .anybody(.webhooksWrite),
            parameters: [.organization],
            body: .required(
                .object([
                    .optional("name", NativeSchema.name), .optional("slug", DomainSchema.slug),
                    .optional("token_prefix", NativeSchema.tokenPrefix.orNull),
                    .optional("expiry_notice_days", OrganizationJSON.expiryNoticeDays.orNull),
                    .optional("unused_after_days", OrganizationJSON.unusedAfterDays.orNull),
                    .optional("leak_action", .oneOf(LeakAction.allCases.map(\.rawValue)).orNull),
                ])
                .named("OrganizationPatch")
            ),
            responses: [EndpointResult(.ok, "The changed organization.", OrganizationJSON.schema)],
            problems: [.forbidden, .serviceUnavailable, .rateLimited]
        ) { request in
            var change = OrganizationChange(
                name: try request.body.optional("name"),
                slug: try request.body.optional("slug")
            )
            switch try request.body.change("token_prefix", as: String.self) {
            case .keep: break
            case .clear: change.tokenPrefix = .some(nil)
            case .set(let prefix): change.tokenPrefix = prefix
            }
            switch try request.body.change("expiry_notice_days", as: [Int].self) {
            case .keep: break
            case .clear: change.expiryNoticeDays = .some(nil)
            case .set(let days): change.expiryNoticeDays = days.map { Int64($0) }
            }
            switch try request.body.change("unused_after_days", as: Int.self) {
            case .keep: break
            case .clear: change.unusedAfterDays = .some(nil)
            case .set(let days): change.unusedAfterDays = Int64(days)
            }
            switch try request.body.change("leak_action", as: String.self) {
            case .keep: break
            case .clear: change.leakAction = .some(nil)
            case .set(let action): change.leakAction = LeakAction(rawValue: action)
            }
            let name = try request.parameter("organization")
            let caller = try context.caller(request)
            let changed = try await context.platform.organizations.update(name, change, by: caller)
            return .json(OrganizationJSON(organization: changed))
        }
    }
    private var delete: NativeEndpoint {
        NativeEndpoint(
            .delete,
            "/v1/organizations/{organization}",
            id: "deleteOrganization",
            tag: NativeSurface.Tag.organizations,
            summary: "Delete an organization",
            description: """
                Deletes the organization with its webhooks, its default workspace and that workspace's database, its admin keys, members \
                and session issuers. The default workspace must be suspended, and the other workspaces must be deleted. The events stay. \
                Webhooks with very many deliveries can need more than one request. The answer says so, before a database is deleted.
                """,
            access: .operator(Permission.platform.rawValue),
            parameters: [.organization],
            responses: [EndpointResult(.noContent, "Deleted.")],
            problems: [.workspaceUnavailable, .serviceUnavailable, .rateLimited],
            deadline: .seconds(120),
            waits: .long
        ) { request in
            let name = try request.parameter("organization")
            try await context.platform.organizations.delete(name, by: try context.caller(request))
            return .noContent
        }
    }
}
