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

    // MARK: Helpers of the operations

    /// Declares an operation.
    ///
    /// `suffix` follows the path of the list.
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

    /// Returns the key id in the path.
    func key(_ request: ClerkRequest) throws -> UUID {
        guard let id = ClerkKeyID.parse(try request.parameter(Self.idParameter.name)) else {
            throw ClerkProblems.malformedID
        }
        return id
    }

    /// Checks the body against the rules of the caller.
    ///
    /// A session can set fewer members than the secret key.
    func requireBody(_ request: ClerkRequest, _ rules: Schema, inSession narrower: Schema) throws {
        let faults = (try request.caller.session == nil ? rules : narrower).validate(request.json)
        guard faults.isEmpty else { throw Problem.invalidRequest(faults) }
    }

    func json(_ key: KeyRecord) -> ClerkKeyJSON { ClerkKeyJSON(key) }

    // MARK: Creating

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
                EndpointResult(.ok, "The same answer, for clients that accept only this status.", ClerkKeyJSON.schema),
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
            let issued: IssuedKey
            do {
                issued = try await context.platform.keys.create(draft, in: home, by: caller) { key in
                    ClerkKeyJSON(key).stored
                }
            } catch Refusal.conflict(let sentence) {
                // Here clients understand 409 only as a name that is taken.
                throw Problem(.invalidRequest, detail: sentence)
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
        if let seconds: Double = try body.optional("seconds_until_expiration") {
            draft.expiry = .after(Self.lifetime(seconds))
        }
        draft.tokenPrefix = .apiKey
        draft.uniqueness = .unique
        return draft
    }

    /// Returns scopes from free texts, without repetitions.
    static func scopes(_ texts: [String]) -> [Scope] { ScopeSet(freeForm: texts).scopes }

    /// Returns seconds as a duration of at least a microsecond and at most ten thousand years: the range of the database's timestamps.
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
            return try await context.platform.keys.withListing(
                filter,
                offset: try request.query.required("offset"),
                limit: try request.query.required("limit"),
                in: home
            ) { listing in
                try await .longList(of: home, on: context.platform, room: listing.room) { writer in
                    writer.object {
                        $0.member("data", listing.keys.map(json))
                        $0.member("total_count", listing.total)
                    }
                }
            }
        }
    }

    /// Returns the subject of a list.
    ///
    /// A session's default, also for an empty name, is its active organization or its user.
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
            "Refuse to return the secret of an API key",
            .admin(Permission.keysRead.rawValue),
            responses: [EndpointResult(.ok, "Never returned.", .object([.required("secret", .string(max: 255))]))]
        ) { request in
            let id = try key(request)
            let home = try await context.home(request, .keysRead)
            _ = try await context.platform.keys.get(id, in: home)
            throw ClerkProblems.secretNotKept
        }
    }
}
