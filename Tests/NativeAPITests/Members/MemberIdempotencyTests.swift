import JSON
import Keys
import Server
import ServerTestSupport
import TestSupport
import Testing

/// `Idempotency-Key` for requests that add members and session issuers.
@Suite(.hangLimit) struct MemberIdempotencyTests {
    private static let members = "/v1/organizations/default/members"

    @Test func `a repeated request adds a member once and returns the same answer`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let body: JSONValue = [
                "email": "ada@example.org", "role": "owner", "password": .string(ServerHarness.memberPassword),
            ]
            let first = try await api.post(Self.members, body, as: mortise.adminToken, key: "k1")
            #expect(first.status == 201, "\(first)")
            #expect(first.headers["idempotent-replayed"] == nil)
            // The slug and the id name the same organization. The first owner could not be added twice.
            let path = "/v1/organizations/\(try first.string("organization_id"))/members"
            for path in [Self.members, path] {
                let duplicate = try await api.post(path, body, as: mortise.adminToken, key: "k1")
                #expect(duplicate.status == 201, "\(duplicate)")
                #expect(duplicate.headers["idempotent-replayed"] == "true")
                #expect(duplicate.inOrder == first.inOrder)
            }
            let other: JSONValue = ["email": "ada@example.org", "role": "owner", "password": "another password"]
            #expect(try await api.post(Self.members, other, as: mortise.adminToken, key: "k1").status == 422)
            #expect(try await api.post(Self.members, body, as: mortise.operatorToken, key: "k1").status == 409)
            #expect(try await api.post(Self.members, body, as: mortise.operatorToken).status == 409)
            // A member who was removed since is not added again.
            let next: JSONValue = ["email": "bob@example.org", "role": "admin"]
            let bob = try await api.post(Self.members, next, as: mortise.adminToken, key: "k2")
            let id = try bob.string("id")
            #expect(try await api.send("DELETE", "\(Self.members)/\(id)", as: mortise.adminToken).status == 204)
            #expect(try await api.post(Self.members, next, as: mortise.adminToken, key: "k2").status == 409)
            let duplicates = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let body: JSONValue = ["email": "eve@example.org", "role": "admin"]
                        return try await api.post(Self.members, body, as: mortise.adminToken, key: "k3")
                    }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(duplicates.allSatisfy { $0.status == 201 }, "\(duplicates)")
            #expect(Set(duplicates.compactMap { $0["id"]?.string }).count == 1)
        }
    }

    // The attack: an admin whose role was removed repeats an old request to learn the current state of the member.
    @Test func `a repeated request returns only members that the caller may see now`() async throws {
        try await withMortise { mortise in
            let workspace = try await mortise.makeWorkspace("Theirs")
            let person = try await mortise.addMember("boss@example.org", "admin")
            _ = try await mortise.addMember("boss@example.org", "admin", workspace: workspace)
            let token = try await mortise.signIn("boss@example.org").access
            let body: JSONValue = ["email": "bob@example.org", "role": "auditor"]
            #expect(try await mortise.api.post(Self.members, body, as: token, key: "k").status == 201)
            #expect(try await mortise.api.send("DELETE", person.path, as: mortise.adminToken).status == 204)
            let duplicate = try await mortise.api.post(Self.members, body, as: token, key: "k")
            #expect(duplicate.status == 409 && duplicate["email"] == nil, "\(duplicate)")
        }
    }

    @Test func `a repeated request adds a session issuer once and returns the same answer`() async throws {
        try await withMortise { mortise in
            let path = "/v1/organizations/default/session-issuers"
            let body: JSONValue = ["issuer": "https://issuer.example", "jwks_url": "https://issuer.example/jwks"]
            let first = try await mortise.api.post(path, body, as: mortise.operatorToken, key: "k1")
            #expect(first.status == 201, "\(first)")
            let duplicate = try await mortise.api.post(path, body, as: mortise.operatorToken, key: "k1")
            #expect(duplicate.status == 201, "\(duplicate)")
            #expect(duplicate.headers["idempotent-replayed"] == "true")
            #expect(duplicate.inOrder == first.inOrder)
            #expect(try await mortise.api.post(path, body, as: mortise.operatorToken, key: "k2").status == 409)
        }
    }

    @Test func `a repeated request assigns an admin of a tenant once and returns the same answer`() async throws {
        try await withMortise { mortise in
            let tenant = try await mortise.makeWorkspace("Acme")
            let user = try await mortise.makeUser("user@example.com", role: "member")
            var client = mortise.fluxbase
            client.headers = [("Idempotency-Key", "k1")]
            let path = "/admin/tenants/\(tenant)/admins"
            let body: JSONValue = ["user_id": .string(user.id)]
            let first = try await client.post(path, body)
            #expect(first.status == 201, "\(first)")
            let duplicate = try await client.post(path, body)
            #expect(duplicate.status == 201, "\(duplicate)")
            #expect(duplicate.headers["idempotent-replayed"] == "true")
            #expect(duplicate.inOrder == first.inOrder)
            client.headers = []
            let again = try await client.post(path, body)
            #expect(again.status == 409)
            #expect(again.code == "ALREADY_EXISTS")
        }
    }
}
