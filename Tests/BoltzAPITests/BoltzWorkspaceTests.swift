import JSON
import ServerTestSupport
import TestSupport
import Testing

/// Workspaces through the Boltz surface, on the wire.
@Suite(.hangLimit) struct BoltzWorkspaceTests {
    private static let path = ServerHarness.boltzWorkspaces
    private static let members = [
        "id", "archived_at", "created_at", "data_retention", "is_default", "name", "updated_at",
    ]

    @Test func `a workspace has seven members, nulls included, in every answer`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.boltz("POST", Self.path, [:], as: mortise.adminToken)
            #expect(made["name"] == .null && made["archived_at"] == .null && made["is_default"] == false, "\(made)")
            #expect(made["data_retention"] == ["unit": "days", "value": 7])
            let path = "\(Self.path)/\(try made.string("id"))"
            let shown = try await mortise.boltz("GET", path, as: mortise.adminToken)
            let changed = try await mortise.boltz("POST", path, ["name": "Named"], as: mortise.adminToken)
            #expect(changed["name"] == "Named")
            let list = try await mortise.boltz("GET", Self.path, as: mortise.adminToken)
            #expect(list["data"]?.array?.count == 2)
            let elements = [made.json, shown.json, changed.json] + (list["data"]?.array ?? [])
            for workspace in elements {
                #expect(workspace.object?.members.map(\.name) == Self.members, "\(workspace.text)")
            }
            let cleared = try await mortise.boltz("POST", path, ["name": .null], as: mortise.adminToken)
            #expect(cleared["name"] == .null)
        }
    }

    @Test func `data retention is stored within its bounds, and unsupported settings are refused`() async throws {
        try await withMortise { mortise in
            func retention(_ unit: String, _ value: Int64) -> JSONValue {
                ["data_retention": ["unit": .string(unit), "value": .integer(value)]]
            }
            let made = try await mortise.boltz("POST", Self.path, retention("hours", 336), as: mortise.adminToken)
            #expect(made["data_retention"] == ["unit": "hours", "value": 336], "\(made)")
            let path = "\(Self.path)/\(try made.string("id"))"
            let changed = try await mortise.boltz("POST", path, retention("days", 14), as: mortise.adminToken)
            #expect(changed["data_retention"] == ["unit": "days", "value": 14], "\(changed)")
            let limited: JSONValue = ["spending_limit": ["amount": 1]]
            let bad = [
                retention("days", 15), retention("hours", 337), retention("hours", 0), retention("weeks", 1), limited,
            ]
            for body in bad {
                let refused = try await mortise.boltz("POST", Self.path, body, as: mortise.adminToken)
                #expect(refused.status == 400 && refused.code == "VALIDATION_ERROR", "\(body.text): \(refused)")
            }
            #expect(try await mortise.boltz("POST", path, limited, as: mortise.adminToken).status == 400)
            #expect(try await mortise.boltz("GET", Self.path, as: mortise.adminToken)["data"]?.array?.count == 2)
        }
    }

    // A client with strict types cannot read `7.0` as an integer.
    @Test(arguments: ["7.0", "70e-1"])
    func `data retention is answered as an integer, however a client spells it`(_ spelling: String) async throws {
        try await withMortise { mortise in
            let body = #"{"data_retention": {"value": \#(spelling), "unit": "days"}}"#
            let made = try await mortise.boltz("POST", Self.path, raw: body, as: mortise.adminToken)
            let path = "\(Self.path)/\(try made.string("id"))"
            let shown = try await mortise.boltz("GET", path, as: mortise.adminToken)
            let other: JSONValue = ["data_retention": ["unit": "hours", "value": 1]]
            #expect(try await mortise.boltz("POST", path, other, as: mortise.adminToken).status == 200)
            let changed = try await mortise.boltz("POST", path, raw: body, as: mortise.adminToken)
            for answer in [made, shown, changed] {
                #expect(answer["data_retention"] == ["unit": "days", "value": 7], "\(answer)")
            }
        }
    }

    @Test func `workspaces are filtered by the beginning of their name`() async throws {
        try await withMortise { mortise in
            for name in ["Shop", "shop floor", "My shop"] {
                let body: JSONValue = ["name": .string(name)]
                #expect(try await mortise.boltz("POST", Self.path, body, as: mortise.adminToken).status == 200)
            }
            let list = try await mortise.boltz("GET", "\(Self.path)?name=SHOP", as: mortise.adminToken)
            #expect(list["data"]?.array?.compactMap { $0["name"]?.string } == ["shop floor", "Shop"], "\(list)")
            let page = try await mortise.boltz("GET", "\(Self.path)?name=SHOP&limit=1", as: mortise.adminToken)
            #expect(page["has_more"] == true)
            let rest = "\(Self.path)?name=SHOP&after_id=\(try page.string("last_id"))"
            let next = try await mortise.boltz("GET", rest, as: mortise.adminToken)
            #expect(next["data"]?.array?.compactMap { $0["name"]?.string } == ["Shop"] && next["has_more"] == false)
        }
    }

    // The attack: the answer to a creation is lost, and the client's retry leaves an unknown database.
    @Test func `an Idempotency-Key creates one workspace`() async throws {
        try await withMortise { mortise in
            let again = [("Idempotency-Key", "once")]
            let body: JSONValue = ["name": "Once"]
            let first = try await mortise.boltz("POST", Self.path, body, as: mortise.adminToken, headers: again)
            let second = try await mortise.boltz("POST", Self.path, body, as: mortise.adminToken, headers: again)
            #expect(first.status == 200 && second.inOrder == first.inOrder, "\(first) \(second)")
            #expect(second.headers["idempotent-replayed"] == "true")
            let other = try await mortise.boltz("POST", Self.path, [:], as: mortise.adminToken, headers: again)
            #expect(other.status == 422)
            #expect(try await mortise.boltz("GET", Self.path, as: mortise.adminToken)["data"]?.array?.count == 2)
        }
    }

    // The attack: somebody uses the keys of an archived workspace.
    @Test func `an archived workspace's keys stop working, and the default workspace cannot be archived`()
        async throws
    {
        try await withMortise { mortise in
            let id = ServerHarness.boltzWorkspace(try await mortise.makeWorkspace("Closing"))
            let key = try await mortise.makeBoltzKey(["workspace_id": .string(id)])
            #expect(try await mortise.verdict(key.token) == "valid")
            let path = "\(Self.path)/\(id)"
            let archived = try await mortise.boltz("POST", "\(path)/archive", as: mortise.adminToken)
            #expect(archived["archived_at"]?.string != nil, "\(archived)")
            #expect(try await mortise.verdict(key.token) != "valid")
            #expect(try await mortise.boltz("GET", "/compute/v1/auth/me", as: key.token).status == 401)
            let made = try await mortise.boltz(
                "POST",
                ServerHarness.boltzKeys,
                ["name": "late", "workspace_id": .string(id)],
                as: mortise.adminToken
            )
            #expect(made.status == 409, "\(made)")
            #expect(
                try await mortise.boltz("GET", path, as: mortise.adminToken)["archived_at"] == archived["archived_at"]
            )
            let first = ServerHarness.boltzWorkspace(try await mortise.defaultWorkspaceID())
            let refused = try await mortise.boltz("POST", "\(Self.path)/\(first)/archive", as: mortise.adminToken)
            #expect(refused.status == 409 && refused.code == "conflict", "\(refused)")
        }
    }
}
