import Endpoints
import FoundationEssentials
import HTTPTypes
import JSON
import KeyStore
import Keys
import Service
import Surfaces

/// The operations on API keys.
struct ClerkKeyRoutes: Sendable {
    let context: ClerkContext
    let path: ClerkPath

    var endpoints: [ClerkEndpoint] { [create, list, get, update, delete, secret, revoke] }

    static let idParameter = PathParameter("api_key_id", "The key's id.", .string(max: 4096))

    // MARK: What the operations share

    /// Declares an operation; `suffix` is what its path has behind the list's.
    ///
    /// Operations that sessions may call, too, are open to any audience; the others need the secret key.
    func endpoint(
        _ method: EndpointMethod,
        _ suffix: String,
        id: String,
        _ summary: String,
        _ access: Access,
        query: QuerySchema = .ignored,
        body: RequestBodySchema? = nil,
        responses: [EndpointResult],
        problems: [Problem.Kind] = [],
        handler: @escaping ClerkEndpoint.Handler
    ) -> ClerkEndpoint {
        ClerkEndpoint(
            method,
            path.keys + suffix,
            id: "clerk\(id)\(path.suffix)",
            tag: ClerkSurface.tag,
            summary: summary,
            access: access,
            parameters: path.parameters + (suffix.hasPrefix("/{") ? [Self.idParameter] : []),
            query: query,
            body: body,
            responses: responses,
            problems: problems + [
                .invalidRequest, .notFound, .rateLimited, .workspaceUnavailable, .serviceUnavailable,
            ],
            isDocumented: false,
            handler: handler
        )
    }

    /// The id of the key that the path names.
    func key(_ request: ClerkRequest) throws -> UUID {
        guard let id = ClerkKeyID.parse(try request.parameter(Self.idParameter.name)) else {
            throw ClerkProblems.malformedID
        }
        return id
    }

    /// Holds the body to the rules for whoever asks: sessions may say less than the secret key.
    func requireBody(_ request: ClerkRequest, _ rules: Schema, inSession narrower: Schema) throws {
        let faults = (try request.caller.session == nil ? rules : narrower).validate(request.json)
        guard faults.isEmpty else { throw Problem.invalidRequest(faults) }
    }

    func json(_ key: KeyRecord) -> ClerkKeyJSON { ClerkKeyJSON(key, at: context.now()) }

    // MARK: Making

    private var create: ClerkEndpoint {
        endpoint(
            .post,
            "",
            id: "CreateAPIKey",
            "Create an API key",
            .any(Permission.keysWrite.rawValue),
            body: .required(ClerkSchema.anyBody),
            responses: [
                EndpointResult(.created, "The key and its secret.", ClerkKeyJSON.schema),
                EndpointResult(.ok, "The same, for clients that take no other status.", ClerkKeyJSON.schema),
            ],
            problems: [.conflict]
        ) { request in
            try requireBody(request, ClerkSchema.create, inSession: ClerkSchema.createInSession)
            let session = try request.caller.session
            let named = try request.body.optional("subject", as: String.self).flatMap { $0.isEmpty ? nil : $0 }
            let subject = named ?? session?.defaultSubject
            let home = try await context.home(request, subject: subject, .keysWrite)
            var draft = try draft(request.body)
            draft.subject = subject
            draft.createdBy = try session?.userID ?? request.body.optional("created_by")
            let caller = try context.caller(request)
            let now = context.now
            let issued = try await context.platform.keys.create(draft, in: home, by: caller) { key, _ in
                ClerkKeyJSON(key, at: now()).stored
            }
            return .issued(
                issued.answer,
                token: issued.token,
                as: "secret",
                isReplay: issued.isReplay,
                status: ClerkClient.statusOfCreation(request.headers)
            )
        }
    }

    private func draft(_ body: Fields) throws -> KeyDraft {
        var draft = KeyDraft(
            name: try body.required("name"),
            description: try body.optional("description"),
            kind: .client,
            scopes: try body.optional("scopes", as: [String].self).map(Self.scopes) ?? []
        )
        draft.type = try body.optional("type") ?? ClerkSchema.defaultType
        draft.claims = try body.optional("claims")
        draft.lifetime = try body.optional("seconds_until_expiration").map(Self.lifetime)
        draft.tokenPrefix = .apiKey
        draft.uniqueness = .unique
        return draft
    }

    /// Scopes are free texts here, each once.
    static func scopes(_ texts: [String]) -> [Scope] { ScopeSet(freeForm: texts).scopes }

    /// Seconds as a duration of at least a microsecond and at most ten thousand years, which is what the database can tell apart.
    static func lifetime(_ seconds: Double) -> Duration { .microseconds(Int64(min(max(seconds, 1e-6), 3.2e11) * 1e6)) }

    // MARK: Reading

    private var list: ClerkEndpoint {
        endpoint(
            .get,
            "",
            id: "ListAPIKeys",
            "List the API keys of a subject, newest first",
            .any(Permission.keysRead.rawValue),
            query: ClerkSchema.list,
            responses: [EndpointResult(.ok, "A page of keys.", ClerkKeyJSON.listSchema)]
        ) { request in
            let subject = try subject(request)
            let home = try await context.home(request, subject: subject, .keysRead)
            var filter = KeyFilter()
            filter.subject = subject
            filter.type = try request.query.optional("type")
            filter.isUsable = try request.query.required("include_invalid") ? nil : true
            let name = try request.query.optional("query", as: [String].self)?.joined(separator: ",") ?? ""
            filter.name = name.isEmpty ? nil : name
            let listing = try await context.platform.keys.listing(
                filter,
                offset: try request.query.required("offset"),
                limit: try request.query.required("limit"),
                in: home
            )
            return .object {
                $0.member("data", listing.keys.map(json))
                $0.member("total_count", listing.total)
            }
        }
    }

    /// Whose keys a list is about: in a session whoever is active where nobody is named, or an empty name.
    private func subject(_ request: ClerkRequest) throws -> String {
        let named: String? = try request.query.optional("subject")
        if let session = try request.caller.session {
            let fault = named.flatMap { ClerkSchema.sessionSubject.validate(.string($0)).first }
            if let fault { throw Problem.invalidRequest(Fault(.query("subject"), fault.detail)) }
            return named.flatMap { $0.isEmpty ? nil : $0 } ?? session.defaultSubject
        }
        guard let named else { throw Problem.invalidRequest(Fault(.query("subject"), "is required", kind: .missing)) }
        if let fault = ClerkSchema.subject.validate(.string(named)).first {
            throw Problem.invalidRequest(Fault(.query("subject"), fault.detail))
        }
        return named
    }

    private var get: ClerkEndpoint {
        endpoint(
            .get,
            "/{api_key_id}",
            id: "GetAPIKey",
            "Get an API key",
            .admin(Permission.keysRead.rawValue),
            responses: [EndpointResult(.ok, "The key.", ClerkKeyJSON.schema)]
        ) { request in
            let id = try key(request)
            let home = try await context.home(request, .keysRead)
            return .json(json(try await context.platform.keys.get(id, in: home)))
        }
    }

    private var secret: ClerkEndpoint {
        endpoint(
            .get,
            "/{api_key_id}/secret",
            id: "GetAPIKeySecret",
            "Get the secret of an API key, which nobody can",
            .admin(Permission.keysRead.rawValue),
            responses: [EndpointResult(.ok, "Never given.", .object([.required("secret", .string(max: 255))]))]
        ) { request in
            let id = try key(request)
            let home = try await context.home(request, .keysRead)
            _ = try await context.platform.keys.get(id, in: home)
            throw ClerkProblems.secretNotKept
        }
    }
}
