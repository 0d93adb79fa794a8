import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces
import Tenancy

/// The operations on the keys of one family.
struct KeyRoutes: Sendable {
    let context: NativeContext
    let family: KeyFamily

    var endpoints: [NativeEndpoint] {
        [list, create, get, update, delete, disable, enable, deprecate, rotate, revoke, events, usage]
            + [revokeSeveral, disableSeveral]
    }

    // MARK: Helpers of the operations

    /// Returns the key collection that the path names.
    ///
    /// - Throws: `Refusal` if the caller cannot access the collection.
    func home(_ request: NativeRequest, _ permission: Permission) async throws -> KeyCollection {
        let access = context.platform.access
        let caller = try request.caller
        return switch family {
        case .service: try await access.keys(ofWorkspace: request.parameter("workspace"), for: caller, permission)
        case .client: try await access.clientKeys(ofWorkspace: request.parameter("workspace"), for: caller, permission)
        case .admin: try await access.keys(ofOrganization: request.parameter("organization"), for: caller, permission)
        case .operator: try access.keysOfPlatform(for: caller)
        }
    }

    /// Returns the key id in the path.
    ///
    /// - Throws: `Refusal.notFound` if the text is not an id.
    func key(_ request: NativeRequest) throws -> UUID {
        guard let id = UUIDv7.parse(try request.parameter("id")) else { throw Refusal.notFound }
        return id
    }

    /// Returns the path of the list with ids instead of slugs.
    func resolvedPath(_ home: KeyCollection) -> String {
        let workspace = home.workspaceID.map(UUIDv7.text(of:)) ?? ""
        return switch family {
        case .service: "/v1/workspaces/\(workspace)/service-keys"
        case .client: "/v1/workspaces/\(workspace)/client-keys"
        case .admin: "/v1/organizations/\(home.organizationID.map(UUIDv7.text(of:)) ?? "")/admin-keys"
        case .operator: "/v1/operator-keys"
        }
    }

    func json(_ key: KeyRecord, _ home: KeyCollection) -> KeyJSON {
        KeyJSON(key, workspaceID: home.workspaceID)
    }

    /// Returns a function that renders the answer to a request that issued a token, without the token.
    ///
    /// The rendered text is stored for replays.
    func answer(_ home: KeyCollection) -> @Sendable (KeyRecord) -> String {
        let workspaceID = home.workspaceID
        return { key in
            var writer = JSONWriter(capacity: 1024)
            writer.object { $0.member("key", KeyJSON(key, workspaceID: workspaceID)) }
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    /// Declares an operation.
    ///
    /// `suffix` follows the path of the list.
    func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        _ permission: Permission,
        description: String = "",
        query: QuerySchema = .none,
        body: RequestBodySchema? = nil,
        responses: [EndpointResult],
        makes: Bool = false,
        problems: [Problem.Kind] = [],
        handler: @escaping NativeEndpoint.Handler
    ) -> NativeEndpoint {
        let named = suffix.hasPrefix("/{id}") ? [PathParameter.id(of: family.noun)] : []
        let unavailable: [Problem.Kind] =
            family.isOfWorkspace ? [.workspaceUnavailable, .serviceUnavailable] : [.serviceUnavailable]
        return NativeEndpoint(
            method,
            family.path + suffix,
            id: id,
            tag: family.tag,
            summary: summary,
            description: description,
            access: family.access(permission),
            parameters: family.parameters + named,
            query: query,
            body: body,
            responses: responses,
            problems: problems + unavailable + [.rateLimited],
            takesIdempotencyKey: makes,
            handler: handler
        )
    }

    // MARK: Reading

    private var get: NativeEndpoint {
        endpoint(
            .get,
            "/{id}",
            id: "get\(family.schemaName)",
            "Get \(family.article) \(family.noun)",
            .keysRead,
            responses: [EndpointResult(.ok, "The key.", KeyJSON.schema)]
        ) { request in
            let home = try await home(request, .keysRead)
            return .json(json(try await context.platform.keys.get(try key(request), in: home), home))
        }
    }

    private var events: NativeEndpoint {
        endpoint(
            .get,
            "/{id}/events",
            id: "list\(family.schemaName)Events",
            "List the events of \(family.article) \(family.noun), newest first",
            .eventsRead,
            description: "A deleted key keeps its events.",
            query: EventRoutes.query,
            responses: EventRoutes.responses,
            problems: [.conflict]
        ) { request in
            let home = try await home(request, .eventsRead)
            return try await EventRoutes.answer(request, key: try key(request), in: home, context)
        }
    }

    private var usage: NativeEndpoint {
        endpoint(
            .get,
            "/{id}/usage",
            id: "get\(family.schemaName)Usage",
            "Report the usage of \(family.article) \(family.noun)",
            .keysRead,
            description: UsageRoutes.description,
            query: UsageRoutes.query,
            responses: UsageRoutes.responses
        ) { request in
            let home = try await home(request, .keysRead)
            return try await UsageRoutes.answer(request, key: try key(request), in: home, context)
        }
    }

    // MARK: Creating

    private var create: NativeEndpoint {
        endpoint(
            .post,
            "",
            id: "create\(family.schemaName)",
            "Create \(family.article) \(family.noun)",
            .keysWrite,
            description: "Only this answer contains the token.",
            body: .required(KeySchema.create(family)),
            responses: [
                EndpointResult(.created, "The key and its token.", KeySchema.issued, headers: [NativeSchema.replayed])
            ],
            makes: true
        ) { request in
            let home = try await home(request, .keysWrite)
            let caller = try context.caller(request, path: resolvedPath(home))
            let draft = try KeyInput.draft(request.body, family)
            let issued = try await context.platform.keys.create(draft, in: home, by: caller, answer: answer(home))
            return issued.response(.created)
        }
    }

    private var rotate: NativeEndpoint {
        endpoint(
            .post,
            "/{id}/rotate",
            id: "rotate\(family.schemaName)",
            "Rotate \(family.article) \(family.noun)",
            .keysWrite,
            description: """
                The key keeps its id and gets a new token. The previous token works until the grace period ends. An \
                older one ends at once. The new token is in this answer and in no other.
                """,
            body: .optional(KeySchema.rotate),
            responses: [
                EndpointResult(.ok, "The key and its new token.", KeySchema.issued, headers: [NativeSchema.replayed])
            ],
            makes: true
        ) { request in
            let home = try await home(request, .keysWrite)
            let id = try key(request)
            let caller = try context.caller(request, path: "\(resolvedPath(home))/\(UUIDv7.text(of: id))/rotate")
            let grace = try KeyInput.grace(request.body)
            let issued = try await context.platform.keys.rotate(
                id,
                grace: grace,
                in: home,
                by: caller,
                answer: answer(home)
            )
            return issued.response(.ok)
        }
    }
}

extension KeyFamily {
    /// The indefinite article of the noun.
    var article: String { isOfWorkspace ? "a" : "an" }

    /// True if the keys are stored in a workspace's database.
    var isOfWorkspace: Bool { self == .service || self == .client }
}

extension IssuedKey {
    /// Returns the stored answer with the token as its last member.
    fileprivate func response(_ status: HTTPResponse.Status) -> EndpointResponse {
        .issued(answer, token: token, isReplay: isReplay, status: status)
    }
}
