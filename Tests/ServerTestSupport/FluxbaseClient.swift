package import Endpoints
import FluxbaseAPI
import HTTPTypes
package import JSON
import Server
package import Testing

/// Sends requests like Fluxbase's TypeScript SDK.
///
/// The client checks that the SDK can read each answer and that the surface declares it.
///
/// The SDK sends `Content-Type: application/json` in every request. It sends the client's key as `apikey`, and the key
/// or an access token as Bearer. It reads JSON only from an answer of that type. It shows the member `error` of a
/// failure, which must be a string.
package struct FluxbaseClient: Sendable {
    package let mortise: ServerHarness
    /// The second argument of `createClient`.
    package var key: String
    /// The access token of `signIn`, which replaces the key as Bearer.
    package var accessToken: String?
    /// The argument of `setTenant`.
    package var tenant: String?
    /// The additional header fields of the caller.
    package var headers: [(String, String)] = []

    package init(_ mortise: ServerHarness, key: String, accessToken: String? = nil, tenant: String? = nil) {
        self.mortise = mortise
        self.key = key
        self.accessToken = accessToken
        self.tenant = tenant
    }

    package func get(_ path: String, at location: SourceLocation = #_sourceLocation) async throws -> Answer {
        try await send("GET", path, at: location)
    }

    package func post(
        _ path: String,
        _ body: JSONValue? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send("POST", path, body, at: location)
    }

    /// Sends a request to a path below `/api/v1`.
    package func send(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        raw: String? = nil,
        contentType: String = "application/json",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var headers = [("apikey", key), ("Authorization", "Bearer \(accessToken ?? key)")]
        headers.append(("Content-Type", contentType))
        if let tenant { headers.append(("X-FB-Tenant", tenant)) }
        headers += self.headers
        let answer = try await mortise.api.send(
            method,
            "/api/v1\(path)",
            body,
            raw: raw,
            as: nil,
            headers: headers,
            at: location
        )
        Self.check(answer, method, "/api/v1\(path)", mortise.server.fluxbase.table, location)
        return answer
    }

    /// Sends a request with these header fields only.
    package static func bare(
        _ mortise: ServerHarness,
        _ method: String,
        _ path: String,
        _ headers: [(String, String)],
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let answer = try await mortise.api.send(method, "/api/v1\(path)", as: nil, headers: headers, at: location)
        check(answer, method, "/api/v1\(path)", mortise.server.fluxbase.table, location)
        return answer
    }

    /// Checks an answer against the rules of the SDK and the declaration of the operation.
    package static func check(
        _ answer: Answer,
        _ method: String,
        _ path: String,
        _ table: EndpointTable<some Sendable>,
        _ location: SourceLocation
    ) {
        let name = "\(method) \(path): \(answer)"
        #expect(answer.status < 500 || answer.status == 503, "\(name)", sourceLocation: location)
        #expect(answer.headers["cache-control"] == "no-store", "\(name)", sourceLocation: location)
        // An empty body with the JSON media type makes every method of the SDK fail.
        let type: String? = answer.text.isEmpty ? nil : "application/json"
        #expect(answer.headers["content-type"] == type, "\(name)", sourceLocation: location)
        if answer.status >= 400 {
            #expect(answer["error"]?.string?.isEmpty == false, "\(name)", sourceLocation: location)
            #expect(answer.code?.isEmpty == false, "\(name)", sourceLocation: location)
            #expect(answer["request_id"]?.string == answer.headers["x-request-id"], "\(name)", sourceLocation: location)
            return
        }
        let bare = String(path.prefix { $0 != "?" })
        let declared = table.endpoints.first {
            $0.method == .only(HTTPRequest.Method(method) ?? .get) && APIClient.matches($0.path.text, bare)
        }
        guard let response = declared?.responses.first(where: { $0.status.code == answer.status }) else {
            Issue.record("\(name) is not declared", sourceLocation: location)
            return
        }
        guard let schema = response.schema else {
            #expect(answer.text.isEmpty, "\(name)", sourceLocation: location)
            return
        }
        let faults = schema.validate(answer.json)
        #expect(faults.isEmpty, "\(name): \(faults)", sourceLocation: location)
    }
}

extension Answer {
    /// The text that the SDK shows for a failure.
    package var error: String? { self["error"]?.string }

    /// The names of the members, sorted.
    package var members: [String] { json.memberNames }
}

extension JSONValue {
    /// The value with the members of all objects sorted by name.
    package var sorted: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let object):
            .object(JSONObject(object.members.sorted { $0.name < $1.name }.map { ($0.name, $0.value.sorted) }))
        default: self
        }
    }

    /// The names of an object's members, sorted.
    package var memberNames: [String] { (object?.members.map(\.name) ?? []).sorted() }
}

extension ServerHarness {
    /// A password that is long enough.
    package static let password = "correct horse battery staple"

    /// A user of an organization who can sign in.
    package struct MadeUser: Sendable {
        package let id: String
        package let email: String
    }

    /// Creates a user with a role in an organization, or in one of its workspaces.
    package func makeUser(
        _ email: String,
        role: String,
        workspace: String? = nil,
        organization: String = "default",
        as token: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> MadeUser {
        var body: JSONObject = [
            "email": .string(email), "role": .string(role), "password": .string(Self.password),
        ]
        body["workspace_id"] = workspace.map(JSONValue.string)
        let answer = try await api.post(
            "/v1/organizations/\(organization)/members",
            .object(body),
            as: token ?? adminToken,
            at: location
        )
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return MadeUser(id: try answer.string("user", "id", at: location), email: email)
    }

    /// Returns a client that is signed in.
    ///
    /// The invalid first key remains the `apikey`, as in the SDK after `signIn`.
    package func fluxbase(
        signedInAs email: String,
        password: String = Self.password,
        tenant: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> FluxbaseClient {
        var client = FluxbaseClient(self, key: "anon", tenant: tenant)
        let body: JSONValue = ["email": .string(email), "password": .string(password)]
        let answer = try await client.post("/auth/signin", body, at: location)
        try #require(answer.status == 200, "\(answer)", sourceLocation: location)
        client.accessToken = try answer.string("access_token", at: location)
        return client
    }

    /// Returns a client with the admin key of the organization `default`.
    package var fluxbase: FluxbaseClient { FluxbaseClient(self, key: adminToken) }

    /// Returns the id of the workspace `default`.
    package func defaultWorkspaceID() async throws -> String {
        try await api.get("/v1/workspaces/default", as: adminToken).string("id")
    }

    /// Creates a workspace in an organization.
    package func makeWorkspace(
        _ name: String,
        as token: String? = nil,
        organization: String = "default",
        at location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let path = "/v1/organizations/\(organization)/workspaces"
        let answer = try await api.post(path, ["name": .string(name)], as: token ?? adminToken, at: location)
        try #require(answer.status == 201, "\(answer)", sourceLocation: location)
        return try answer.string("id", at: location)
    }
}
