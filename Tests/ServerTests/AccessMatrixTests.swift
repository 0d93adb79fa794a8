import HTTPTypes
import JSON
import Postgres
import Server
import Service
import Testing

/// Who is told what: generated from the table of endpoints, so that a new one cannot be forgotten.
@Suite(.timeLimit(.minutes(10))) struct AccessMatrixTests {
    /// Two organizations: the caller's own, and a foreign one with a workspace and keys.
    private struct World: Sendable {
        let mortise: ServerHarness
        let own: [String: String]
        let foreign: [String: String]

        /// Values for a name in a path that all mean "not there" to the caller.
        static let unknown = "0198c0de-0000-7000-8000-00000000abcd"
        static let malformed = ["0198C0DE-0000-7000-8000-00000000ABCD", "not-an-id", "%C3%A9", "..%2F..", "1"]
    }

    private func world(_ mortise: ServerHarness) async throws -> World {
        let acme = try await mortise.makeOrganization("Foreign")
        let theirs = try await mortise.makeKey("theirs", in: acme.workspaceID, as: acme.token)
        let mine = try await mortise.makeKey("mine")
        let organizations = try await mortise.api.get("/v1/organizations", as: mortise.adminToken)
        let organization = try #require(organizations["data"]?.array?.first?["id"]?.string)
        let workspace = try await mortise.api.get("/v1/workspaces/default", as: mortise.adminToken).string("id")
        return World(
            mortise: mortise,
            own: ["organization": organization, "workspace": workspace, "id": mine.id],
            foreign: ["organization": acme.id, "workspace": acme.workspaceID, "id": theirs.id]
        )
    }

    private static func method(_ endpoint: Endpoint<Principal>) -> String {
        if case .only(let method) = endpoint.method { method.rawValue } else { "GET" }
    }

    private static func path(_ endpoint: Endpoint<Principal>, _ values: [String: String]) throws -> String {
        var path = endpoint.path.text
        for name in endpoint.path.parameterNames {
            let value = try #require(values[name], "\(endpoint.operationID): the matrix has no value for {\(name)}")
            path = path.replacing("{\(name)}", with: value)
        }
        return path
    }

    /// A body that every schema of the surface finds something wrong with.
    private static let wrong: JSONValue = ["no_such_member": true]

    /// A body that is right for the operation.
    private static func right(_ endpoint: Endpoint<Principal>) -> JSONValue? {
        guard endpoint.body != nil else { return nil }
        return switch endpoint.operationID {
        case "verify": ["token": "x"]
        case "verifyBatch": ["requests": [["token": "x"]]]
        default:
            endpoint.operationID.hasPrefix("create") || endpoint.operationID.hasPrefix("update") ? ["name": "new"] : [:]
        }
    }

    @Test func `no operation is open but the document, and none accepts a bad credential`() async throws {
        try await withMortise { mortise in
            let values = ["organization": World.unknown, "workspace": World.unknown, "id": World.unknown]
            let key = try await mortise.makeKey("service key")
            let revoked = try await mortise.makeAdmin(["keys:read"])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            let disabled = try await mortise.makeAdmin(["keys:write"])
            _ = try await mortise.api.post("\(disabled.path)/disable", as: mortise.adminToken)
            var altered = mortise.adminToken
            altered.removeLast()
            let credentials = ["", "junk", altered, key.token, revoked.token, disabled.token, mortise.adminToken + "x"]
            for endpoint in mortise.api.endpoints {
                if endpoint.operationID == "getOpenAPI" {
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

    // The attack: an admin of one organization walks through ids to learn which of another's exist.
    @Test func `what is another's, what is unknown and what is malformed answer alike`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            let readOnly = try await mortise.makeAdmin(["keys:read", "events:read"])
            let nothing = try await mortise.makeAdmin([])
            let callers = [
                ("admin", mortise.adminToken), ("read-only admin", readOnly.token),
                ("admin without permissions", nothing.token),
            ]
            for endpoint in mortise.api.endpoints where !endpoint.parameters.isEmpty {
                for body in [Self.right(endpoint), endpoint.body == nil ? nil : Self.wrong] {
                    for (who, token) in callers {
                        try await self.compare(endpoint, body, who, token, world)
                    }
                }
            }
            // And nothing of the foreign organization was changed on the way.
            let acme = try await mortise.api.get("/v1/organizations/foreign", as: mortise.operatorToken)
            #expect(acme.status == 200)
            let key = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM control.workspaces WHERE state = 'active'"
            )
            #expect(try key.first?.decode(0, as: Int64.self) == 2)
        }
    }

    /// Each name in the path in turn is replaced by what the caller must not tell apart.
    private func compare(
        _ endpoint: Endpoint<Principal>,
        _ body: JSONValue?,
        _ who: String,
        _ token: String,
        _ world: World
    ) async throws {
        for name in endpoint.path.parameterNames {
            var reference: Answer?
            for value in [World.unknown, try #require(world.foreign[name])] + World.malformed {
                var values = world.own
                values[name] = value
                let path = try Self.path(endpoint, values)
                let answer = try await world.mortise.api.send(Self.method(endpoint), path, body, as: token)
                let label = "\(endpoint.operationID) as \(who), {\(name)} = \(value)"
                #expect([400, 403, 404].contains(answer.status), "\(label): \(answer)")
                if who == "admin", body == nil || body == Self.right(endpoint), !endpoint.isForOperators {
                    #expect(answer.status == 404, "\(label): \(answer)")
                }
                if let reference {
                    #expect(answer.status == reference.status, "\(label): \(answer) after \(reference)")
                    #expect(answer.comparable == reference.comparable, "\(label): \(answer) after \(reference)")
                    #expect(answer.headers["www-authenticate"] == reference.headers["www-authenticate"], "\(label)")
                }
                reference = reference ?? answer
            }
        }
    }

    @Test func `each operation needs its permission, which the refusal names`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            let all = ["keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read"]
            for endpoint in mortise.api.endpoints {
                guard case .restricted(let audience, let permission) = endpoint.access else { continue }
                let path = try Self.path(endpoint, world.own)
                let method = Self.method(endpoint)
                if audience == .operator {
                    let answer = try await mortise.api.send(method, path, Self.right(endpoint), as: mortise.adminToken)
                    #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                    continue
                }
                guard let permission else { continue }
                let rest = try await mortise.makeAdmin(all.filter { $0 != permission })
                let answer = try await mortise.api.send(method, path, Self.right(endpoint), as: rest.token)
                #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                #expect(answer["detail"]?.string?.contains("\"\(permission)\"") == true, "\(answer)")
                _ = try await mortise.api.send("DELETE", rest.path, as: mortise.adminToken)
            }
        }
    }

    @Test func `an operator key does not reach the keys inside a workspace`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            for endpoint in mortise.api.endpoints
            where endpoint.path.text.contains("/service-keys") || endpoint.path.text.contains("verify") {
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

    // The attack: an admin with few permissions makes, rotates or changes a key that has more.
    @Test func `nobody hands on more than they have`() async throws {
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
    /// Whether only operator keys get further than the refusal.
    fileprivate var isForOperators: Bool {
        if case .restricted(.operator, _) = access { true } else { false }
    }
}
