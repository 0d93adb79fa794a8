import Endpoints
import HTTPTypes
import JSON
import Postgres
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Checks every operation of the native surface for every kind of caller.
///
/// The cases come from the table of endpoints, so a new operation is always included.
@Suite(.hangLimit(.seconds(600))) struct AccessMatrixTests {
    /// Two organizations: the caller's own, and a foreign one with a workspace and keys.
    private struct World: Sendable {
        let mortise: ServerHarness
        let own: [String: String]
        let foreign: [String: String]

        /// Path values for which the caller must get the answer "not found".
        static let unknown = "0198c0de-0000-7000-8000-00000000abcd"
        static let malformed = ["0198C0DE-0000-7000-8000-00000000ABCD", "not-an-id", "%C3%A9", "..%2F..", "1"]
    }

    private func world(_ mortise: ServerHarness) async throws -> World {
        let acme = try await mortise.makeOrganization("Foreign")
        let theirs = try await mortise.makeKey("theirs", in: acme.workspaceID, as: acme.token)
        let mine = try await mortise.makeKey("mine")
        let theirClient = try await mortise.makeClientKey("theirs", in: acme.workspaceID, as: acme.token)
        let myClient = try await mortise.makeClientKey("mine")
        let theirMember = try await mortise.addMember(
            "theirs@example.org",
            "member",
            organization: acme.id,
            as: acme.token
        )
        let myMember = try await mortise.addMember("mine@example.org", "member")
        let organizations = try await mortise.api.get("/v1/organizations", as: mortise.adminToken)
        let organization = try #require(organizations["data"]?.array?.first?["id"]?.string)
        let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("id")
        return World(
            mortise: mortise,
            own: [
                "organization": organization, "workspace": workspace, "id": mine.id, "client key": myClient.id,
                "member": myMember.id,
            ],
            foreign: [
                "organization": acme.id, "workspace": acme.workspaceID, "id": theirs.id, "client key": theirClient.id,
                "member": theirMember.id,
            ]
        )
    }

    private static func method(_ endpoint: Endpoint<Principal>) -> String {
        if case .only(let method) = endpoint.method { method.rawValue } else { "GET" }
    }

    /// Returns a world whose own objects are in another workspace of the caller's organization.
    ///
    /// The default workspace is the foreign workspace in that world.
    private func neighbour(_ mortise: ServerHarness, _ world: World) async throws -> World {
        let path = "/v1/organizations/default/workspaces"
        let other = try await mortise.api.post(path, ["name": "Other"], as: mortise.adminToken).string("id")
        let key = try await mortise.makeKey("other", in: other)
        let client = try await mortise.makeClientKey("other", in: other, as: mortise.adminToken)
        let member = try await mortise.addMember("other@example.org", "member", workspace: other)
        var (own, foreign) = (world.own, world.own)
        own["workspace"] = other
        own["id"] = key.id
        own["client key"] = client.id
        own["member"] = member.id
        foreign["organization"] = world.foreign["organization"]
        return World(mortise: mortise, own: own, foreign: foreign)
    }

    /// Returns the key of the table of values for a path parameter.
    ///
    /// Client keys and members have other ids than service keys.
    private static func slot(_ name: String, _ endpoint: Endpoint<Principal>) -> String {
        if name == "delivery" { return "id" }
        guard name == "id" else { return name }
        if endpoint.path.text.contains("/client-keys") { return "client key" }
        return endpoint.path.text.contains("/members") ? "member" : name
    }

    private static func path(_ endpoint: Endpoint<Principal>, _ values: [String: String]) throws -> String {
        var path = endpoint.path.text
        for name in endpoint.path.parameterNames {
            let value = try #require(
                values[Self.slot(name, endpoint)] ?? values[name],
                "\(endpoint.operationID): the matrix has no value for {\(name)}"
            )
            path = path.replacing("{\(name)}", with: value)
        }
        return path
    }

    /// A body that every schema of the surface rejects.
    private static let wrong: JSONValue = ["no_such_member": true]

    /// Returns a valid body for the operation.
    private static func right(_ endpoint: Endpoint<Principal>) -> JSONValue? {
        guard endpoint.body != nil else { return nil }
        if endpoint.path.text.contains("-keys/batch/") { return ["ids": [.string(World.unknown)]] }
        return switch endpoint.operationID {
        case "verify": ["token": "x"]
        case "verifyBatch": ["requests": [["token": "x"]]]
        case "addMember": ["email": "new@example.org", "role": "member"]
        case "addSessionIssuer": ["issuer": "https://issuer.example", "jwks_url": "https://issuer.example/jwks.json"]
        case "changePassword": ["current_password": "x", "new_password": "a new password"]
        case "createClientKey": ["name": "new", "subject": "user_1"]
        case "createWebhook": ["url": "https://example.com", "event_types": ["*"]]
        case "updateWebhook": ["url": "https://example.com"]
        case "retireClientKeys": ["subject": "user_1"]
        default:
            endpoint.operationID.hasPrefix("create") || endpoint.operationID.hasPrefix("update") ? ["name": "new"] : [:]
        }
    }

    @Test
    func `every operation but sign-in, refresh, reports of leaks and the OpenAPI document needs a valid credential`()
        async throws
    {
        try await withMortise { mortise in
            let values = ["organization": World.unknown, "workspace": World.unknown, "id": World.unknown]
            let key = try await mortise.makeKey("service key")
            let revoked = try await mortise.makeAdmin(["keys:read"])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            let disabled = try await mortise.makeAdmin(["keys:write"])
            _ = try await mortise.api.post("\(disabled.path)/disable", as: mortise.adminToken)
            var altered = mortise.adminToken
            altered.removeLast()
            let session = try await mortise.session("ada@example.org", "owner")
            let ended = try await mortise.signIn("ada@example.org")
            _ = try await mortise.api.send("DELETE", "/v1/sessions/current", as: ended.access)
            let credentials = [
                "", "junk", altered, key.token, revoked.token, disabled.token, mortise.adminToken + "x", ended.access,
                ended.refresh, session + "x", "a.b.c",
            ]
            for endpoint in mortise.api.endpoints {
                let open = [
                    "getOpenAPI", "signIn", "exchangeSignInCode", "refreshSession", "reportLeaks",
                    "reportLeaksOfGitHub",
                ]
                if open.contains(endpoint.operationID) {
                    #expect(endpoint.access == .open)
                    continue
                }
                #expect(endpoint.access != .open, "\(endpoint.operationID)")
                let path = try Self.path(endpoint, values)
                for body in [Self.right(endpoint), Self.wrong] {
                    let none = try await mortise.api.send(Self.method(endpoint), path, body, as: nil)
                    #expect(none.status == 401, "\(endpoint.operationID): \(none)")
                    #expect(none.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                    for credential in credentials {
                        let answer = try await mortise.api.send(Self.method(endpoint), path, body, as: credential)
                        #expect(answer.status == 401, "\(endpoint.operationID): \(answer)")
                        #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                    }
                }
            }
        }
    }

    // The attack: an admin of one organization tries ids to learn which ids of another organization exist.
    @Test func `a foreign id, an unknown id and a malformed id get the same answer`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            let readOnly = try await mortise.makeAdmin(["keys:read", "events:read"])
            let nothing = try await mortise.makeAdmin([])
            let callers = [
                ("admin", mortise.adminToken), ("read-only admin", readOnly.token),
                ("admin without permissions", nothing.token),
                ("member with the role admin", try await mortise.session("a@example.org", "admin")),
                ("member with the role auditor", try await mortise.session("b@example.org", "auditor")),
                ("member with the role member", try await mortise.session("c@example.org", "member")),
            ]
            for endpoint in mortise.api.endpoints where !endpoint.parameters.isEmpty {
                for body in [Self.right(endpoint), endpoint.body == nil ? nil : Self.wrong] {
                    for (who, token) in callers {
                        try await compare(endpoint, body, who, token, world)
                    }
                }
            }
            // Nothing of the foreign organization has changed.
            let acme = try await mortise.api.get("/v1/organizations/foreign", as: mortise.operatorToken)
            #expect(acme.status == 200)
            let key = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM control.workspaces WHERE state = 'active'"
            )
            #expect(try key.first?.decode(0, as: Int64.self) == 2)
        }
    }

    // The attack: a member of one workspace tries the ids of another workspace of the same organization.
    @Test func `objects of another workspace look unknown to a member of one workspace`() async throws {
        try await withMortise { mortise in
            let world = try await neighbour(mortise, try await self.world(mortise))
            let workspace = world.own["workspace"]
            var callers: [(String, String)] = []
            for role in ["owner", "admin", "auditor", "member"] {
                let token = try await mortise.session("\(role)@example.org", role, workspace: workspace)
                callers.append(("\(role) of a workspace", token))
            }
            for endpoint in mortise.api.endpoints where !endpoint.parameters.isEmpty {
                for (who, token) in callers {
                    try await compare(endpoint, Self.right(endpoint), who, token, world)
                }
            }
        }
    }

    // The attack: a member calls operations whose permission the member's role does not have.
    @Test func `each operation refuses a member whose role lacks its permission`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            let workspace = world.own["workspace"]
            for workspaceID in [nil, workspace] {
                for (role, permissions) in [("auditor", ["keys:read", "events:read"]), ("member", [])] {
                    let name = "\(role)-\(workspaceID == nil ? "wide" : "local")@example.org"
                    let token = try await mortise.session(name, role, workspace: workspaceID)
                    for endpoint in mortise.api.endpoints {
                        guard case .restricted(let audience, let permission) = endpoint.access, let permission,
                            !permissions.contains(permission), !(audience == .owner && role == "member")
                        else { continue }
                        let path = try Self.path(endpoint, world.own)
                        let body = Self.right(endpoint)
                        let answer = try await mortise.api.send(Self.method(endpoint), path, body, as: token)
                        #expect(answer.status == 403, "\(endpoint.operationID) as \(name): \(answer)")
                        guard audience != .operator else { continue }
                        #expect(answer["detail"]?.string?.contains("\"\(permission)\"") == true, "\(answer)")
                    }
                }
            }
        }
    }

    // The accident: a person who has mistyped one of two ids is told that something does not exist.
    @Test func `an answer 404 names the kind of resource that the path asks for`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            for endpoint in mortise.api.endpoints {
                guard let last = endpoint.path.parameterNames.last else { continue }
                let token = endpoint.isForOperators ? mortise.operatorToken : mortise.adminToken
                for value in [World.unknown] + World.malformed {
                    var values = world.own
                    values[Self.slot(last, endpoint)] = value
                    let path = try Self.path(endpoint, values)
                    let body = Self.right(endpoint)
                    let answer = try await mortise.api.send(Self.method(endpoint), path, body, as: token)
                    let label = "\(endpoint.operationID), {\(last)} = \(value)"
                    // A session of one's own, which a key does not have, is missing in any case.
                    #expect(answer.status == 404, "\(label): \(answer)")
                    #expect(answer["detail"]?.string == Self.absence(endpoint), "\(label): \(answer)")
                }
            }
        }
    }

    /// Returns the sentence of an answer 404, derived from the path alone.
    private static func absence(_ endpoint: Endpoint<Principal>) -> String {
        let path = endpoint.path.text
        if path.hasSuffix("/retire-subject") {
            return "There is no workspace with this id or slug, or the credential does not reach the subject."
        }
        let kinds = [
            ("{delivery}", "delivery"), ("/webhooks/{id}", "webhook"), ("/service-keys/{id}", "service key"),
            ("/client-keys/{id}", "client key"), ("/admin-keys/{id}", "admin key"),
            ("/operator-keys/{id}", "operator key"), ("/members/{id}", "member"),
            ("/session-issuers/{id}", "session issuer"), ("/sessions/{id}", "session"),
        ]
        if let kind = kinds.first(where: { path.contains($0.0) })?.1 { return "There is no \(kind) with this id." }
        return "There is no \(path.contains("{workspace}") ? "workspace" : "organization") with this id or slug."
    }

    /// Returns the bytes of an answer without the id of its request.
    private static func anonymous(_ answer: Answer) -> String {
        answer.text.replacing(answer["request_id"]?.string ?? "no id", with: "")
    }

    /// Replaces each path parameter in turn with values that the caller must not be able to tell apart.
    private func compare(
        _ endpoint: Endpoint<Principal>,
        _ body: JSONValue?,
        _ who: String,
        _ token: String,
        _ world: World
    ) async throws {
        for name in endpoint.path.parameterNames {
            var reference: Answer?
            let slot = Self.slot(name, endpoint)
            for value in [World.unknown, try #require(world.foreign[slot])] + World.malformed {
                var values = world.own
                values[slot] = value
                let path = try Self.path(endpoint, values)
                let answer = try await world.mortise.api.send(Self.method(endpoint), path, body, as: token)
                let label = "\(endpoint.operationID) as \(who), {\(name)} = \(value)"
                #expect([400, 403, 404].contains(answer.status), "\(label): \(answer)")
                if who == "admin", body == nil || body == Self.right(endpoint), !endpoint.isForOperators {
                    #expect(answer.status == 404, "\(label): \(answer)")
                }
                if answer.status == 404 {
                    #expect(answer["detail"]?.string == Self.absence(endpoint), "\(label): \(answer)")
                }
                if let reference {
                    #expect(answer.status == reference.status, "\(label): \(answer) after \(reference)")
                    #expect(answer.comparable == reference.comparable, "\(label): \(answer) after \(reference)")
                    #expect(Self.anonymous(answer) == Self.anonymous(reference), "\(label)")
                    #expect(answer.headers["www-authenticate"] == reference.headers["www-authenticate"], "\(label)")
                }
                reference = reference ?? answer
            }
        }
    }

    /// Returns the access rule that an operation must have, derived from its method and path alone.
    ///
    /// The expectation does not use the declaration, because a wrong declaration must not confirm itself.
    private static func demand(_ endpoint: Endpoint<Principal>) -> Access? {
        let path = endpoint.path.text
        let isReading = endpoint.method == .only(.get)
        if path == "/openapi.json" { return .open }
        if path == "/v1/status" { return .operator("platform:*") }
        if path.hasPrefix("/v1/operator-keys") { return .operator("platform:*") }
        if path == "/v1/organizations/{organization}", endpoint.method == .only(.patch) {
            return .any("webhooks:write")
        }
        if ["/v1/organizations", "/v1/organizations/{organization}"].contains(path), !isReading {
            return .operator("platform:*")
        }
        if path.hasPrefix("/v1/leaks") { return .open }
        if path.hasPrefix("/v1/verify") { return .admin("keys:verify") }
        if ["/v1/sessions", "/v1/sessions/code", "/v1/sessions/refresh"].contains(path) { return .open }
        if path == "/v1/sessions/current" || path.hasPrefix("/v1/me") { return .any() }
        guard path.hasPrefix("/v1/workspaces") || path.hasPrefix("/v1/organizations") else { return nil }
        if path.hasSuffix("/events") {
            if path.contains("/client-keys") { return .owner("events:read") }
            return path.hasPrefix("/v1/organizations") ? .any("events:read") : .admin("events:read")
        }
        if path == "/v1/workspaces/{workspace}/usage" { return .admin("keys:read") }
        if path.contains("-keys") {
            let permission = isReading ? "keys:read" : "keys:write"
            if path.contains("/client-keys") { return .owner(permission) }
            return path.contains("/admin-keys") ? .any(permission) : .admin(permission)
        }
        if path.hasSuffix("/retire-subject") { return .owner("keys:write") }
        if path.contains("/webhooks") { return .admin(isReading ? "webhooks:read" : "webhooks:write") }
        if path.contains("/members") { return .any("members:write") }
        if path.contains("/session-issuers") { return .operator("platform:*") }
        return .any(isReading ? nil : "workspaces:write")
    }

    // The attack: a route that somebody added or changed requires too little. The server must refuse before it looks at
    // anything in the request, so that the refusal reveals nothing. The test therefore also sends a wrong body, an
    // unknown parameter and unknown ids.
    @Test func `each operation checks its permission first, and the refusal names the permission`()
        async throws
    {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            let nothing = ["organization": World.unknown, "workspace": World.unknown, "id": World.unknown]
            let all = [
                "keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read",
                "webhooks:read", "webhooks:write",
            ]
            for endpoint in mortise.api.endpoints {
                let demand = try #require(
                    Self.demand(endpoint),
                    "the matrix does not know what \(endpoint.operationID) has to demand: say it in demand(_:)"
                )
                #expect(endpoint.access == demand, "\(endpoint.operationID)")
                guard case .restricted(let audience, let permission) = demand else { continue }
                if audience != .operator, permission == nil { continue }
                let caller = try await mortise.makeAdmin(all.filter { $0 != permission })
                let method = Self.method(endpoint)
                let paths = [
                    try Self.path(endpoint, world.own), try Self.path(endpoint, nothing),
                    try Self.path(endpoint, nothing) + "?no_such_parameter=1",
                ]
                for path in paths {
                    for body in [Self.right(endpoint), endpoint.body == nil ? nil : Self.wrong] {
                        let answer = try await mortise.api.send(method, path, body, as: caller.token)
                        #expect(answer.status == 403, "\(endpoint.operationID) at \(path): \(answer)")
                        guard audience != .operator, let permission else { continue }
                        #expect(answer["detail"]?.string?.contains("\"\(permission)\"") == true, "\(answer)")
                    }
                }
                _ = try await mortise.api.send("DELETE", caller.path, as: mortise.adminToken)
            }
        }
    }

    @Test func `an operator key cannot reach the keys inside a workspace`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            for endpoint in mortise.api.endpoints
            where ["/service-keys", "/client-keys", "{workspace}/usage", "verify"]
                .contains(where: endpoint.path.text.contains)
            {
                var reference: Answer?
                for values in [world.own, world.foreign, ["workspace": World.unknown, "id": World.unknown]] {
                    let path = try Self.path(endpoint, values)
                    let answer = try await mortise.api.send(
                        Self.method(endpoint),
                        path,
                        Self.right(endpoint),
                        as: mortise.operatorToken
                    )
                    #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                    if let reference { #expect(answer.comparable == reference.comparable) }
                    reference = answer
                }
            }
        }
    }

    // The attack: an admin with few permissions creates, rotates or changes a key that has more.
    @Test func `a caller cannot grant a permission that the caller lacks`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let writer = try await mortise.makeAdmin(["keys:read", "keys:write"])
            let path = "/v1/organizations/default/admin-keys"
            let strong = try await api.post(path, ["name": "s", "permissions": ["events:read"]], as: writer.token)
            #expect(strong.status == 403)
            let admin = try await api.get("\(path)?query=First", as: mortise.adminToken)
            let first = try #require(admin["data"]?.array?.first?["id"]?.string)
            for call in ["rotate", "disable", "revoke", "deprecate"] {
                #expect(try await api.post("\(path)/\(first)/\(call)", as: writer.token).status == 403, "\(call)")
            }
            #expect(try await api.send("DELETE", "\(path)/\(first)", as: writer.token).status == 403)
            let own = try await api.send(
                "PATCH",
                writer.path,
                ["permissions": ["keys:read", "keys:write", "keys:verify"]],
                as: writer.token
            )
            #expect(own.status == 403)
            #expect(try await api.get("/v1/workspaces", as: mortise.adminToken).status == 200)
        }
    }
}

extension Endpoint {
    /// True if the operation is only for operator keys.
    fileprivate var isForOperators: Bool {
        if case .restricted(.operator, _) = access { true } else { false }
    }
}
