import BoltzAPI
import Endpoints
import HTTPTypes
import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Checks every operation of the Boltz surface for every kind of caller.
///
/// The cases come from the table of endpoints, so a new operation is always included.
@Suite(.hangLimit(.seconds(600))) struct BoltzAccessTests {
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

    /// Returns a valid body for the operation.
    private static func right(_ endpoint: Endpoint<Principal>) -> JSONValue? {
        guard endpoint.body != nil else { return nil }
        return endpoint.operationID == "boltzCreateKey" ? ["name": "new"] : [:]
    }

    private static let unknown = [
        "id": "api_key_00zzzzzz0198c0de00007000800000000000abcd", "workspace": "ws_0198c0de00007000800000000000abcd",
    ]

    @Test func `every operation needs a valid credential`() async throws {
        try await withMortise { mortise in
            #expect(mortise.server.boltz.table.declarationFaults == [])
            let revoked = try await mortise.makeAdmin(["keys:read"])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            let ended = try await mortise.makeBoltzKey()
            _ = try await mortise.boltz("POST", "\(ServerHarness.boltzKeys)/\(ended.id)/revoke", as: mortise.adminToken)
            let elsewhere = try await mortise.makeBoltzKey(["allowed_ips": ["192.0.2.1"]])
            var altered = mortise.adminToken
            altered.removeLast()
            let credentials = [
                nil, "", "junk", altered, mortise.adminToken + "x", "Bearer \(mortise.adminToken)", revoked.token,
                ended.token, elsewhere.token,
            ]
            for endpoint in mortise.server.boltz.table.endpoints {
                #expect(endpoint.access != .open, "\(endpoint.operationID)")
                let path = try Self.path(endpoint, Self.unknown)
                for body in [Self.right(endpoint), ["no_such_member": true]] {
                    for credential in credentials {
                        let answer = try await mortise.boltz(Self.method(endpoint), path, body, as: credential)
                        #expect(answer.status == 401, "\(endpoint.operationID): \(answer)")
                        #expect(answer.code == "unauthorized", "\(endpoint.operationID): \(answer)")
                    }
                    // This surface does not accept the Authorization header of the other surfaces.
                    let bearer = try await mortise.boltz(
                        Self.method(endpoint),
                        path,
                        body,
                        as: nil,
                        headers: [("Authorization", "Bearer \(mortise.adminToken)")]
                    )
                    #expect(bearer.status == 401, "\(endpoint.operationID): \(bearer)")
                }
            }
        }
    }

    // The attack: somebody uses an application's key to create keys or to learn which objects exist.
    @Test func `neither a workspace key nor an operator key can manage anything`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeBoltzKey()
            for endpoint in mortise.server.boltz.table.endpoints {
                let path = try Self.path(endpoint, Self.unknown)
                for body in [Self.right(endpoint), ["no_such_member": true]] {
                    let answer = try await mortise.boltz(Self.method(endpoint), path, body, as: key.token)
                    if case .restricted(.any, _) = endpoint.access {
                        #expect(endpoint.method == .get || answer.status == 404, "\(endpoint.operationID): \(answer)")
                    } else {
                        #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                    }
                    let other = try await mortise.boltz(Self.method(endpoint), path, body, as: mortise.operatorToken)
                    #expect(other.status == 403, "\(endpoint.operationID): \(other)")
                }
            }
        }
    }

    @Test func `each operation requires its permission, and the refusal names the permission`() async throws {
        try await withMortise { mortise in
            let all = ["keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read"]
            for endpoint in mortise.server.boltz.table.endpoints {
                guard case .restricted(_, let permission?) = endpoint.access else { continue }
                let rest = try await mortise.makeAdmin(all.filter { $0 != permission })
                let answer = try await mortise.boltz(
                    Self.method(endpoint),
                    try Self.path(endpoint, Self.unknown),
                    Self.right(endpoint),
                    as: rest.token
                )
                #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                #expect(answer["message"]?.string?.contains("\"\(permission)\"") == true, "\(answer)")
                _ = try await mortise.api.send("DELETE", rest.path, as: mortise.adminToken)
            }
        }
    }

    // The attack: an admin of one organization tries ids to learn which foreign keys exist, or revokes guessed keys.
    @Test func `a foreign id, an unknown id and a malformed id get the same answer`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Foreign")
            let theirs = try await mortise.boltz("POST", ServerHarness.boltzKeys, ["name": "theirs"], as: acme.token)
            let foreignAdmin = "api_key_00000000" + acme.adminKeyID.filter { $0 != "-" }
            let mine = try await mortise.makeBoltzKey()
            let swapped = String(try theirs.string("key_details", "id").prefix(16)) + String(mine.id.suffix(32))
            let malformed = ["not-an-id", "%C3%A9", "%00", "..%2F..", "1", String(mine.id.suffix(32))]
            let candidates = [
                "id": [
                    try theirs.string("key_details", "id"), foreignAdmin, swapped,
                    "api_key_00000000" + String(mine.id.suffix(32)), mine.id.uppercased(),
                ] + malformed,
                "workspace": [try theirs.string("key_details", "workspace_id"), "default"] + malformed,
            ]
            for endpoint in mortise.server.boltz.table.endpoints {
                for name in endpoint.path.parameterNames {
                    let path = try Self.path(endpoint, Self.unknown)
                    let body = Self.right(endpoint)
                    let reference = try await mortise.boltz(Self.method(endpoint), path, body, as: mortise.adminToken)
                    #expect(reference.status == 404, "\(endpoint.operationID): \(reference)")
                    for value in try #require(candidates[name]) {
                        let path = try Self.path(endpoint, [name: value])
                        let answer = try await mortise.boltz(Self.method(endpoint), path, body, as: mortise.adminToken)
                        #expect(answer.status == 404, "\(endpoint.operationID), \(value): \(answer)")
                        // A path that is malformed as a whole is refused before the server knows the operation, so its
                        // text differs from that of operations that are not offered.
                        if reference.text != answer.text {
                            #expect(endpoint.tag == "Not offered", "\(value): \(answer)")
                        }
                    }
                }
            }
            for parameter in ["workspace_id", "after_id", "before_id"] {
                let isFilter = parameter == "workspace_id"
                let unknown = try #require(Self.unknown[isFilter ? "workspace" : "id"])
                let path = "\(ServerHarness.boltzKeys)?\(parameter)="
                let reference = try await mortise.boltz("GET", path + unknown, as: mortise.adminToken)
                #expect(reference.status == (isFilter ? 404 : 400), "\(reference)")
                for value in (candidates[isFilter ? "workspace" : "id"] ?? []).filter({ $0 != "%00" }) {
                    let answer = try await mortise.boltz("GET", path + value, as: mortise.adminToken)
                    #expect(answer.status == reference.status && answer.text == reference.text, "\(value): \(answer)")
                }
            }
            let untouched = try await mortise.boltz("GET", ServerHarness.boltzKeys, as: acme.token)
            let keys = try #require(untouched["data"]?.array)
            #expect(keys.count == 2 && keys.allSatisfy { $0["is_active"] == true }, "\(untouched)")
            #expect(try await mortise.boltzKey(mine.id)["is_active"] == true)
        }
    }
}
