import JSON
import ServerTestSupport
import TestSupport
import Testing

/// The filter of events by the name of an actor.
@Suite(.hangLimit) struct EventActorTests {
    /// Returns the names of the keys that an actor created in the default workspace.
    private static func created(by actor: String, _ mortise: ServerHarness, as token: String) async throws -> [String] {
        let path = "/v1/workspaces/default/events?type=created&actor=\(actor)"
        let found = try await mortise.api.get(path, as: token)
        #expect(found.status == 200, "\(actor): \(found)")
        return (found["data"]?.array ?? []).compactMap { $0["key_name"]?.string }
    }

    @Test func `events are filtered by the address of a member, and by the name or the token of a key`() async throws {
        try await withMortise { mortise in
            let ada = try await mortise.session("ada@example.org", "owner")
            _ = try await mortise.makeKey("of Ada", as: ada)
            let admin = try await mortise.makeAdmin(["keys:read", "keys:write"])
            _ = try await mortise.makeKey("of a key", as: admin.token)
            for (actor, name) in [
                ("ADA%40example.org", "of Ada"), ("Admin%20keys%3Aread%20keys%3Awrite", "of a key"),
                (String(admin.token.prefix(14)), "of a key"), ("admin-key%3A\(admin.id)", "of a key"),
            ] {
                let found = try await Self.created(by: actor, mortise, as: mortise.adminToken)
                #expect(found == [name], "\(actor)")
            }
            for actor in ["nobody%40example.org", "no%20such%20key", "mka_live_nothing", "%25"] {
                let found = try await Self.created(by: actor, mortise, as: mortise.adminToken)
                #expect(found.isEmpty, "\(actor)")
            }
        }
    }

    // The attack: a key that reads only events asks who has which address.
    @Test func `a credential that cannot read keys finds nobody by a name`() async throws {
        try await withMortise { mortise in
            let ada = try await mortise.session("ada@example.org", "owner")
            _ = try await mortise.makeKey("of Ada", as: ada)
            let reader = try await mortise.makeAdmin(["events:read"])
            let found = try await Self.created(by: "ada%40example.org", mortise, as: reader.token)
            #expect(found.isEmpty)
        }
    }

    @Test func `an operator finds operator keys by their names, and an admin key does not`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let made = try await api.post("/v1/operator-keys", ["name": "on call"], as: mortise.operatorToken)
            let operatorToken = try made.string("token")
            let other = try await api.post("/v1/organizations", ["name": "Other"], as: operatorToken)
            let path = "/v1/organizations/other/events?type=organization.created&actor=On%20call"
            let found = try await api.get(path, as: mortise.operatorToken)
            #expect(found["data"]?.array?.count == 1, "\(found)")
            let hidden = try await api.get(path, as: try other.string("token"))
            #expect(hidden.status == 200 && hidden["data"] == [], "\(hidden)")
        }
    }
}
