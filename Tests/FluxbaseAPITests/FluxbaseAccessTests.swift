import Endpoints
import FluxbaseAPI
import HTTPTypes
import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Checks every operation of the Fluxbase surface for every kind of caller.
///
/// The cases come from the table of endpoints, so a new operation is always included.
@Suite(.hangLimit(.seconds(600))) struct FluxbaseAccessTests {
    private static let unknown = "0198c0de-0000-7000-8000-00000000abcd"

    /// The operations without a credential: they are the ways to get one.
    private static let open = [
        "fluxbaseSignIn", "fluxbaseRefresh", "fluxbaseAdminLogin", "fluxbaseAdminRefresh", "fluxbaseSetupStatus",
        "fluxbaseSetup",
    ]

    private static func method(_ endpoint: Endpoint<Principal>) -> String {
        if case .only(let method) = endpoint.method { method.rawValue } else { "GET" }
    }

    /// Returns the path of the operation with the values for its parameters.
    private static func path(_ endpoint: Endpoint<Principal>, _ values: [String: String]) throws -> String {
        let text = endpoint.path.text
        let family = ["client-keys", "api-keys", "service-keys", "tenants"].first { text.contains("/\($0)") }
        var path = text.replacing("/api/v1", with: "", maxReplacements: 1)
        if path.contains("{id}") {
            path = path.replacing("{id}", with: try #require(values[family ?? ""], "no value for \(text)"))
        }
        return path.replacing("{user}", with: values["user"] ?? "")
    }

    /// Returns a valid body for the operation.
    private static func right(_ endpoint: Endpoint<Principal>) -> JSONValue? {
        guard endpoint.body != nil else { return nil }
        return switch endpoint.operationID {
        case "fluxbaseAssignTenantAdmin": ["user_id": .string(unknown)]
        case "fluxbaseCreateTenant": ["name": "new", "slug": "new"]
        default: ["name": "new", "scopes": ["*"]]
        }
    }

    /// Two organizations with one object of each kind.
    ///
    /// The own organization also has a workspace for some members only.
    private struct World {
        let own: [String: String]
        let foreign: [String: String]
        let unknown: [String: String]
        let otherWorkspace: String
        let foreignToken: String
    }

    private func world(_ mortise: ServerHarness) async throws -> World {
        let acme = try await mortise.makeOrganization("Foreign")
        func things(_ token: String, _ organization: String, _ mail: String) async throws -> [String: String] {
            let client = FluxbaseClient(mortise, key: token)
            let clientKey = try await client.post("/client-keys", ["name": "c", "scopes": ["*"]]).string("id")
            let user = try await mortise.makeUser(mail, role: "member", organization: organization, as: token)
            return [
                "client-keys": clientKey, "api-keys": clientKey,
                "service-keys": try await client.post("/admin/service-keys", ["name": "s"]).string("id"),
                "tenants": try await client.get("/admin/tenants").json.array?.first?["id"]?.string ?? "",
                "user": user.id,
            ]
        }
        return World(
            own: try await things(mortise.adminToken, "default", "own@example.com"),
            foreign: try await things(acme.token, acme.id, "foreign@example.com"),
            unknown: Dictionary(
                uniqueKeysWithValues: ["client-keys", "api-keys", "service-keys", "tenants", "user"]
                    .map { ($0, Self.unknown) }
            ),
            otherWorkspace: try await mortise.makeWorkspace("Other"),
            foreignToken: acme.token
        )
    }

    @Test func `only sign-in and setup need no credential, and a bad credential is refused everywhere`() async throws {
        try await withMortise { mortise in
            let service = try await mortise.makeKey("service key")
            let values = ["client-keys", "api-keys", "service-keys", "tenants", "user"]
            let unknown = Dictionary(uniqueKeysWithValues: values.map { ($0, Self.unknown) })
            for endpoint in mortise.server.fluxbase.table.endpoints {
                guard !Self.open.contains(endpoint.operationID) else {
                    #expect(endpoint.access == .open, "\(endpoint.operationID)")
                    continue
                }
                #expect(endpoint.access != .open, "\(endpoint.operationID)")
                let path = try Self.path(endpoint, unknown)
                for credential in ["", "junk", mortise.adminToken + "x"] {
                    for body in [Self.right(endpoint), ["enabled": "wrong"]] {
                        let client = FluxbaseClient(mortise, key: credential, tenant: "no-such")
                        let answer = try await client.send(Self.method(endpoint), path, body)
                        #expect(answer.status == 401, "\(endpoint.operationID): \(answer)")
                    }
                }
                // A tenant's key without scopes is valid but has no permission.
                let client = FluxbaseClient(mortise, key: service.token)
                let answer = try await client.send(Self.method(endpoint), path, Self.right(endpoint))
                #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
            }
            #expect(mortise.server.fluxbase.table.declarationFaults == [])
        }
    }

    // The attack: an admin, a member of another organization or a member of another workspace tries ids.
    @Test func `foreign objects look unknown and are not changed`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            _ = try await mortise.makeUser("admin@example.com", role: "admin")
            _ = try await mortise.makeUser("local@example.com", role: "admin", workspace: world.otherWorkspace)
            let admin = mortise.fluxbase
            let member = try await mortise.fluxbase(signedInAs: "admin@example.com")
            let local = try await mortise.fluxbase(signedInAs: "local@example.com")
            for endpoint in mortise.server.fluxbase.table.endpoints where !endpoint.parameters.isEmpty {
                for (who, client, foreign) in [
                    ("admin key", admin, world.foreign), ("member", member, world.foreign),
                    ("member of another workspace", local, world.own),
                ] {
                    let label = "\(endpoint.operationID) as \(who)"
                    let method = Self.method(endpoint)
                    let body = Self.right(endpoint)
                    let reference = try await client.send(method, Self.path(endpoint, world.unknown), body)
                    let answer = try await client.send(method, Self.path(endpoint, foreign), body)
                    #expect(answer.status == 404, "\(label): \(answer)")
                    #expect(answer.comparable == reference.comparable, "\(label): \(answer) after \(reference)")
                }
            }
            let theirs = FluxbaseClient(mortise, key: world.foreignToken)
            for (family, path) in [("client-keys", "/client-keys"), ("service-keys", "/admin/service-keys")] {
                let key = try await theirs.get("\(path)/\(world.foreign[family] ?? "")")
                #expect(key.status == 200)
                #expect(key["name"] != "new")
                #expect(key["revoked_at"] == nil)
            }
        }
    }

    @Test func `each operation requires its permission, and the refusal names the permission`() async throws {
        try await withMortise { mortise in
            let world = try await self.world(mortise)
            _ = try await mortise.makeUser("plain@example.com", role: "member")
            let plain = try await mortise.fluxbase(signedInAs: "plain@example.com")
            let all = ["keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read"]
            for endpoint in mortise.server.fluxbase.table.endpoints {
                guard let permission = endpoint.access.permission else { continue }
                let path = try Self.path(endpoint, world.own)
                let method = Self.method(endpoint)
                let rest = try await mortise.makeAdmin(all.filter { $0 != permission })
                let answer = try await FluxbaseClient(mortise, key: rest.token)
                    .send(method, path, Self.right(endpoint))
                #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                #expect(answer["message"]?.string?.contains("\"\(permission)\"") == true, "\(answer)")
                _ = try await mortise.api.send("DELETE", rest.path, as: mortise.adminToken)
                if path.contains("/admin/") {
                    let refused = try await plain.send(method, path, Self.right(endpoint))
                    #expect(refused.status == 403, "\(endpoint.operationID): \(refused)")
                }
            }
        }
    }
}
