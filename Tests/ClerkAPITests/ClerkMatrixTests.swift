import ClerkAPI
import Endpoints
import HTTPTypes
import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// Checks every operation of the Clerk surface for every kind of caller.
///
/// The cases come from the table of endpoints, so a new operation is always included.
@Suite(.hangLimit(.seconds(600))) struct ClerkMatrixTests {
    private static func method(_ endpoint: Endpoint<Principal>) -> String {
        if case .only(let method) = endpoint.method { method.rawValue } else { "GET" }
    }

    private static func path(_ endpoint: Endpoint<Principal>, id: String, workspace: String) -> String {
        let path = endpoint.path.text.replacing("{api_key_id}", with: id).replacing("{workspace}", with: workspace)
        return endpoint.operationID.hasPrefix("clerkListAPIKeys") ? "\(path)?subject=\(ServerHarness.user)" : path
    }

    /// Returns a valid body for the operation.
    private static func right(_ endpoint: Endpoint<Principal>) -> JSONValue? {
        guard endpoint.body != nil else { return nil }
        if endpoint.operationID.hasPrefix("clerkVerify") { return ["secret": "ak_none"] }
        guard endpoint.operationID.hasPrefix("clerkCreate") else { return [:] }
        let name = "Key \(UInt64.random(in: 0...UInt64.max))"
        return ["name": .string(name), "subject": .string(ServerHarness.user)]
    }

    private static func send(
        _ mortise: ServerHarness,
        _ endpoint: Endpoint<Principal>,
        id: String,
        workspace: String = "default",
        _ body: JSONValue?,
        as token: String?
    ) async throws -> Answer {
        let path = Self.path(endpoint, id: id, workspace: workspace)
        let answer = try await mortise.api.send(Self.method(endpoint), path, body, as: token)
        ServerHarness.check(answer)
        let statuses = endpoint.allProblems.map(\.status.code) + endpoint.responses.map(\.status.code)
        #expect(statuses.contains(answer.status), "\(endpoint.operationID): \(answer) is not declared")
        return answer
    }

    @Test func `the table has every operation, and each needs a credential`() async throws {
        try await withMortise { mortise in
            let table = mortise.server.clerk.table
            #expect(table.declarationFaults == [])
            #expect(table.endpoints.count == 32)
            #expect(table.endpoints.allSatisfy { $0.access != .open })
        }
    }

    @Test func `every operation refuses a bad credential, whatever else is wrong`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeAPIKey()
            let service = try await mortise.makeKey("service key")
            let revoked = try await mortise.makeAdmin(["keys:read"])
            _ = try await mortise.api.post("\(revoked.path)/revoke", as: mortise.adminToken)
            let disabled = try await mortise.makeAdmin(["keys:write"])
            _ = try await mortise.api.post("\(disabled.path)/disable", as: mortise.adminToken)
            let signer = try SessionSigner()
            let credentials: [String?] = [
                nil, "", "junk", "sk_test_x", service.token, key.secret, revoked.token, disabled.token,
                mortise.adminToken + "x", try signer.session(),
            ]
            for endpoint in mortise.server.clerk.table.endpoints {
                for body in [Self.right(endpoint), ["no_such_member": true]] {
                    for credential in credentials {
                        let answer = try await Self.send(mortise, endpoint, id: key.id, body, as: credential)
                        #expect(answer.status == 401, "\(endpoint.operationID): \(answer)")
                        #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                    }
                }
            }
        }
    }

    // The attack: an admin of one organization tries ids to learn which ids of another organization exist.
    @Test func `foreign keys and workspaces look unknown`() async throws {
        try await withMortise { mortise in
            let acme = try await mortise.makeOrganization("Foreign")
            let theirs = try await mortise.makeAPIKey("Theirs", as: acme.token)
            let own = try await mortise.makeAPIKey("Mine")
            let unknown = "ak_" + String(repeating: "0", count: 32)
            let nowhere = "0198c0de-0000-7000-8000-00000000abcd"
            let signer = try SessionSigner()
            try await mortise.addSessionIssuer(signer)
            let readOnly = try await mortise.makeAdmin(["keys:read"])
            for token in [mortise.adminToken, readOnly.token, try signer.session()] {
                for endpoint in mortise.server.clerk.table.endpoints {
                    let names = endpoint.path.parameterNames
                    let body = Self.right(endpoint)
                    if names.contains("api_key_id") {
                        let one = try await Self.send(mortise, endpoint, id: unknown, body, as: token)
                        let other = try await Self.send(mortise, endpoint, id: theirs.id, body, as: token)
                        #expect([403, 404].contains(one.status), "\(endpoint.operationID): \(one)")
                        #expect(one.status == other.status && one["errors"] == other["errors"], "\(one) \(other)")
                    }
                    if names.contains("workspace") {
                        let one = try await Self.send(
                            mortise,
                            endpoint,
                            id: own.id,
                            workspace: nowhere,
                            body,
                            as: token
                        )
                        for workspace in [acme.workspaceID, "not-a-workspace", "..%2F.."] {
                            let other = try await Self.send(
                                mortise,
                                endpoint,
                                id: own.id,
                                workspace: workspace,
                                body,
                                as: token
                            )
                            #expect([403, 404].contains(one.status), "\(endpoint.operationID): \(one)")
                            #expect(one.status == other.status && one["errors"] == other["errors"], "\(one) \(other)")
                        }
                    }
                }
            }
            #expect(try await mortise.clerkVerify(theirs.secret, as: acme.token) == 200)
            #expect(try await mortise.clerkVerify(own.secret) == 200)
        }
    }

    @Test func `each operation requires its permission, and an operator key does not have it`() async throws {
        try await withMortise { mortise in
            let all = ["keys:read", "keys:write", "keys:verify", "workspaces:write", "members:write", "events:read"]
            let key = try await mortise.makeAPIKey()
            for endpoint in mortise.server.clerk.table.endpoints {
                let permission = try #require(endpoint.access.permission, "\(endpoint.operationID)")
                let rest = try await mortise.makeAdmin(all.filter { $0 != permission })
                for token in [rest.token, mortise.operatorToken] {
                    let answer = try await Self.send(mortise, endpoint, id: key.id, Self.right(endpoint), as: token)
                    #expect(answer.status == 403, "\(endpoint.operationID): \(answer)")
                    #expect(answer.clerkCode == "authorization_invalid", "\(answer)")
                }
                _ = try await mortise.api.send("DELETE", rest.path, as: mortise.adminToken)
            }
        }
    }
}
