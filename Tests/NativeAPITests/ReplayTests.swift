import JSON
import ServerTestSupport
import TestSupport
import Testing

/// A repeated request gets the first answer, whatever happened since to the object that the request created.
@Suite(.hangLimit) struct ReplayTests {
    @Test(arguments: ["suspend", "archive"])
    func `a repeated creation or rotation of a key gets the first answer after its workspace was suspended or archived`(
        _ change: String
    ) async throws {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let workspace = try await api.post("/v1/organizations/default/workspaces", ["name": "Shop"], as: admin)
            #expect(workspace.status == 201)
            let path = ServerHarness.keys("shop")
            let made = try await api.post(path, ["name": "k"], as: admin, key: "create")
            let key = "\(path)/\(try made.string("key", "id"))"
            let rotated = try await api.post("\(key)/rotate", as: admin, key: "rotate")
            #expect(made.status == 201 && rotated.status == 200)
            #expect(try await api.post("/v1/workspaces/shop/\(change)", as: admin).status == 200)

            #expect(try await api.post(path, ["name": "k"], as: admin, key: "create").inOrder == made.inOrder)
            #expect(try await api.post("\(key)/rotate", as: admin, key: "rotate").inOrder == rotated.inOrder)
            // A new request is refused.
            for late in [nil, "late"] {
                #expect(try await api.post(path, ["name": "late"], as: admin, key: late).status == 409)
                #expect(try await api.post("\(key)/rotate", as: admin, key: late).status == 409)
            }
            #expect(try await api.post(path, ["name": "other"], as: admin, key: "create").status == 422)
        }
    }

    @Test(arguments: ["suspend", "archive"])
    func `a repeated creation of a workspace gets the first answer after it was suspended or archived`(_ change: String)
        async throws
    {
        try await withMortise { mortise in
            let (api, admin) = (mortise.api, mortise.adminToken)
            let path = "/v1/organizations/default/workspaces"
            let made = try await api.post(path, ["name": "Shop"], as: admin, key: "w")
            #expect(made.status == 201)
            #expect(try await api.post("/v1/workspaces/shop/\(change)", as: admin).status == 200)
            let again = try await api.post(path, ["name": "Shop"], as: admin, key: "w")
            #expect(again.status == 201, "\(again)")
            #expect(again.inOrder == made.inOrder)
            // The repeated request has changed nothing.
            #expect(try await api.get("/v1/workspaces/shop", as: admin)["state"] != "active")
        }
    }

    @Test func `a repeated creation of an organization gets the first answer after its workspace was suspended`()
        async throws
    {
        try await withMortise { mortise in
            let (api, theOperator) = (mortise.api, mortise.operatorToken)
            let made = try await api.post("/v1/organizations", ["name": "Acme"], as: theOperator, key: "o")
            let id = try made.string("default_workspace", "id")
            #expect(try await api.post("/v1/workspaces/\(id)/suspend", as: theOperator).status == 200)
            let again = try await api.post("/v1/organizations", ["name": "Acme"], as: theOperator, key: "o")
            #expect(again.status == 201, "\(again)")
            #expect(again.inOrder == made.inOrder)
        }
    }

    @Test func `a repeated request returns the same token after the token prefix of the organization changed`()
        async throws
    {
        try await withMortise { mortise in
            let (api, admin, path) = (mortise.api, mortise.adminToken, ServerHarness.keys())
            let made = try await api.post(path, ["name": "k"], as: admin, key: "create")
            #expect(try made.string("token").hasPrefix("mks_"))
            let rotation = "\(path)/\(try made.string("key", "id"))/rotate"
            func begin(with prefix: String) async throws {
                try await mortise.script(
                    mortise.installation.control,
                    "UPDATE control.organizations SET token_prefix = '\(prefix)' WHERE slug = 'default'"
                )
            }
            try await begin(with: "acme")
            #expect(try await api.post(path, ["name": "k"], as: admin, key: "create").inOrder == made.inOrder)
            let rotated = try await api.post(rotation, as: admin, key: "rotate")
            // A key keeps its token prefix. A new key gets the current token prefix of the organization.
            #expect(try rotated.string("token").hasPrefix("mks_"))
            let other = try await api.post(path, ["name": "other"], as: admin, key: "other")
            #expect(try other.string("token").hasPrefix("acme_"))
            try await begin(with: "new")
            #expect(try await api.post(path, ["name": "k"], as: admin, key: "create").inOrder == made.inOrder)
            #expect(try await api.post(path, ["name": "other"], as: admin, key: "other").inOrder == other.inOrder)
            #expect(try await api.post(rotation, as: admin, key: "rotate").inOrder == rotated.inOrder)
        }
    }
}
