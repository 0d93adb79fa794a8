import JSON
import Server
import ServerTestSupport
import Service
import TestSupport
import Testing

/// The numbers of things that one tenant can have.
@Suite(.hangLimit) struct QuotaTests {
    /// Sends creations at the same moment, and returns how many were accepted and the sentences of the others.
    private static func create(
        _ count: Int,
        _ send: @escaping @Sendable (Int) async throws -> Answer
    ) async throws -> (created: Int, refusals: Set<String>) {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            for number in 0..<count { group.addTask { try await send(number) } }
            var result: (created: Int, refusals: Set<String>) = (0, [])
            for try await answer in group {
                if answer.status == 201 {
                    result.created += 1
                } else {
                    #expect(answer.status == 409, "\(answer)")
                    result.refusals.insert(try answer.string("detail"))
                }
            }
            return result
        }
    }

    // The attack: a tenant creates keys until the database, and with it every other tenant, has no room.
    @Test func `a workspace, a subject and an organization have at most as many keys as their quotas allow`()
        async throws
    {
        var quotas = Quotas()
        quotas.keysPerWorkspace = 7
        quotas.keysPerSubject = 2
        quotas.adminKeysPerOrganization = 3
        try await withMortise(configure: { [quotas] in $0.quotas = quotas }) { mortise in
            let clients = "/v1/workspaces/default/client-keys"
            let ada = try await Self.create(5) { number in
                let body: JSONValue = ["name": .string("ada \(number)"), "subject": "user_ada"]
                return try await mortise.api.post(clients, body, as: mortise.adminToken)
            }
            #expect(ada.created == 2)
            #expect(ada.refusals == ["The subject has 2 keys, its maximum. Delete some of them."])

            let service = try await Self.create(12) { number in
                let body: JSONValue = ["name": .string("service \(number)")]
                return try await mortise.api.post(
                    "/v1/workspaces/default/service-keys",
                    body,
                    as: mortise.adminToken
                )
            }
            #expect(service.created == 5)
            #expect(service.refusals == ["The workspace has 7 keys, its maximum. Delete some of them."])
            let other = try await mortise.api.post(
                clients,
                ["name": "eve", "subject": "user_eve"],
                as: mortise.adminToken
            )
            #expect(other.status == 409)

            let admins = try await Self.create(6) { number in
                let body: JSONValue = ["name": .string("admin \(number)"), "permissions": ["keys:verify"]]
                return try await mortise.api.post(
                    "/v1/organizations/default/admin-keys",
                    body,
                    as: mortise.adminToken
                )
            }
            #expect(admins.created == 2, "the organization's first admin key counts")
            #expect(admins.refusals == ["The organization has 3 admin keys, its maximum. Delete some of them."])

            // A revoked key counts until it is deleted, and a deleted key makes room.
            let path = "/v1/workspaces/default/service-keys"
            let list = try await mortise.api.get(path, as: mortise.adminToken)
            let id = try #require(list["data"]?.array?.first?["id"]?.string)
            let revoked = try await mortise.api.post("\(path)/\(id)/revoke", [:], as: mortise.adminToken)
            #expect(revoked.status == 200)
            #expect(try await mortise.api.post(path, ["name": "more"], as: mortise.adminToken).status == 409)
            #expect(try await mortise.api.send("DELETE", "\(path)/\(id)", as: mortise.adminToken).status == 204)
            #expect(try await mortise.api.post(path, ["name": "more"], as: mortise.adminToken).status == 201)

            // Nobody else notices.
            let acme = try await mortise.makeOrganization("Acme")
            let theirs = try await mortise.api.post(path, ["name": "theirs"], as: acme.token)
            #expect(theirs.status == 201, "\(theirs)")
        }
    }

    // The attack: a rotation in Fluxbase's dialect makes a new key each time, and the old keys stay.
    @Test func `a key that takes the place of another counts, and so does a key that moves to another subject`()
        async throws
    {
        try await withMortise(configure: {
            $0.quotas.keysPerWorkspace = 3
            $0.quotas.keysPerSubject = 1
        }) { mortise in
            let old = try await mortise.fluxbase.post("/admin/service-keys", ["name": "old"])
            let path = "/admin/service-keys/\(try old.string("id"))"
            let first = try await mortise.fluxbase.post("\(path)/rotate", [:])
            #expect(first.status == 201, "\(first)")
            let second = try await mortise.fluxbase.post("/admin/service-keys/\(try first.string("id"))/rotate", [:])
            #expect(second.status == 201, "\(second)")
            let third = try await mortise.fluxbase.post("/admin/service-keys/\(try second.string("id"))/rotate", [:])
            #expect(third.status == 409, "\(third)")
        }
        try await withMortise(configure: { $0.quotas.keysPerSubject = 1 }) { mortise in
            _ = try await mortise.makeAPIKey("First")
            let moved = try await mortise.makeAPIKey("Second", subject: ServerHarness.otherUser)
            let change: JSONValue = ["subject": .string(ServerHarness.user)]
            let answer = try await mortise.clerk("PATCH", "/v1/api_keys/\(moved.id)", change)
            #expect(answer.status == 403 && answer.clerkCode == "token_quota_exceeded", "\(answer)")
        }
    }

    // The attack: one admin key creates databases until the server has no room.
    @Test func `an organization has at most as many workspaces as its quota allows`() async throws {
        var quotas = Quotas()
        quotas.workspacesPerOrganization = 3
        try await withMortise(configure: { [quotas] in $0.quotas = quotas }) { mortise in
            let made = try await Self.create(5) { number in
                let body: JSONValue = ["name": .string("w\(number)"), "slug": .string("w\(number)")]
                return try await mortise.api.post(
                    "/v1/organizations/default/workspaces",
                    body,
                    as: mortise.adminToken
                )
            }
            #expect(made.created == 2, "the default workspace counts")
            #expect(made.refusals == ["The organization has 3 workspaces, its maximum. Delete archived ones."])
        }
    }

    // The attack: a member makes fat keys and lists them all, which took 53 MB of memory from every other tenant.
    @Test func `a list of keys with too many bytes is refused in every dialect, and a shorter one is answered`()
        async throws
    {
        var quotas = Quotas()
        quotas.listBytes = 20_000
        try await withMortise(configure: { [quotas] in $0.quotas = quotas }) { mortise in
            let fat: JSONValue = ["note": .string(String(repeating: "x", count: 7_000))]
            func add(_ number: Int) async throws {
                let made = try await mortise.api.post(
                    ServerHarness.keys(),
                    ["name": .string("fat \(number)"), "metadata": fat],
                    as: mortise.adminToken
                )
                #expect(made.status == 201, "\(made)")
            }
            for number in 1...2 { try await add(number) }
            let lists = [ServerHarness.keys(), "/api/v1/admin/service-keys"]
            for path in lists {
                #expect(try await mortise.api.get(path, as: mortise.adminToken).status == 200, "\(path)")
            }
            try await add(3)
            for path in lists {
                let answer = try await mortise.api.get(path, as: mortise.adminToken)
                #expect(answer.status == 409, "\(path): \(answer)")
                #expect(answer.text.contains("20000 bytes"), "\(path): \(answer)")
            }
            #expect(try await mortise.api.get("\(ServerHarness.keys())?limit=1", as: mortise.adminToken).status == 200)
        }
    }

    // The attack: an organization gives its tenants long metadata, and has the list of all of them written again and again.
    @Test func `a list of tenants with too many bytes is refused, and a shorter one is answered`() async throws {
        var quotas = Quotas()
        quotas.listBytes = 10_000
        try await withMortise(configure: { [quotas] in $0.quotas = quotas }) { mortise in
            let lists = ["/admin/tenants", "/admin/tenants/mine"]
            let fat: JSONValue = ["note": .string(String(repeating: "x", count: 7_000))]
            for (slug, status) in [("one", 200), ("two", 409)] {
                let body: JSONValue = ["name": .string(slug), "slug": .string(slug), "metadata": fat]
                let made = try await mortise.fluxbase.post("/admin/tenants", body)
                #expect(made.status == 201, "\(made)")
                for path in lists {
                    let answer = try await mortise.fluxbase.get(path)
                    #expect(answer.status == status, "\(path): \(answer)")
                    #expect(answer.text.contains("10000 bytes") == (status == 409), "\(path): \(answer)")
                }
            }
        }
    }
}
