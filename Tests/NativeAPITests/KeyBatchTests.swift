import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// Changes of several keys at once: all of them, or none.
@Suite(.hangLimit) struct KeyBatchTests {
    private static let unknown = "0198c0de-0000-7000-8000-00000000abcd"
    private static let batch = "\(ServerHarness.keys())/batch"

    private func ids(_ keys: [ServerHarness.IssuedKey]) -> JSONValue { .array(keys.map { .string($0.id) }) }

    private func makeKeys(_ count: Int, _ mortise: ServerHarness) async throws -> [ServerHarness.IssuedKey] {
        var keys: [ServerHarness.IssuedKey] = []
        for number in 0..<count { keys.append(try await mortise.makeKey("key \(number)")) }
        return keys
    }

    private func eventTypes(_ key: ServerHarness.IssuedKey, _ mortise: ServerHarness) async throws -> [String] {
        let events = try await mortise.api.get("\(key.path)/events", as: mortise.adminToken)
        return events["data"]?.array?.compactMap { $0["type"]?.string } ?? []
    }

    @Test func `several keys are revoked with an event each, and answered in the order of the request`() async throws {
        try await withMortise { mortise in
            let keys = try await makeKeys(3, mortise)
            for key in keys { #expect(try await mortise.verdict(key.token) == "valid") }
            _ = try await mortise.api.post("\(keys[1].path)/revoke", ["reason": "first"], as: mortise.adminToken)
            let body: JSONValue = ["ids": ids(keys.reversed()), "reason": "leaked"]
            let answer = try await mortise.api.post("\(Self.batch)/revoke", body, as: mortise.adminToken)
            #expect(answer.status == 200, "\(answer)")
            let data = answer["data"]?.array ?? []
            #expect(data.compactMap { $0["id"]?.string } == keys.reversed().map(\.id))
            #expect(data.compactMap { $0["revocation_reason"]?.string } == ["leaked", "first", "leaked"])
            for key in keys {
                #expect(try await mortise.verdict(key.token) == "revoked")
                #expect(try await eventTypes(key, mortise) == ["revoked", "created"])
            }
        }
    }

    @Test func `several keys are disabled together, also client keys and admin keys`() async throws {
        try await withMortise { mortise in
            let one = try await mortise.makeClientKey("one")
            let other = try await mortise.makeClientKey("other", subject: "user_2")
            let reader = try await mortise.makeAdmin(["keys:read"])
            let writer = try await mortise.makeAdmin(["keys:write"])
            for (path, keys) in [
                ("/v1/workspaces/default/client-keys", [one, other]),
                ("/v1/organizations/default/admin-keys", [reader, writer]),
            ] {
                let body: JSONValue = ["ids": ids(keys)]
                let answer = try await mortise.api.post("\(path)/batch/disable", body, as: mortise.adminToken)
                #expect(answer.status == 200, "\(answer)")
                let statuses = answer["data"]?.array?.compactMap { $0["status"]?.string }
                #expect(statuses == ["disabled", "disabled"])
            }
        }
    }

    /// Notes each statement that changes keys, and each that records events.
    private static let notes = """
        CREATE TABLE public.notes (relation text NOT NULL);
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
        BEGIN
            INSERT INTO public.notes VALUES (TG_TABLE_NAME);
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER note AFTER UPDATE ON auth.service_keys FOR EACH STATEMENT EXECUTE FUNCTION public.note();
        CREATE TRIGGER note AFTER INSERT ON auth.key_events FOR EACH STATEMENT EXECUTE FUNCTION public.note()
        """

    // The cost: a batch that is written key by key takes the processors of the verifications beside it.
    @Test func `however many keys are stopped, they take one statement, and so do their events`() async throws {
        try await withMortise { mortise in
            let keys = try await makeKeys(5, mortise)
            try await mortise.inWorkspace(Self.notes)
            let body: JSONValue = ["ids": ids(keys)]
            let answer = try await mortise.api.post("\(Self.batch)/disable", body, as: mortise.adminToken)
            #expect(answer.status == 200, "\(answer)")
            let database = try await mortise.workspaceDatabase()
            let rows = try await mortise.rows(database, "SELECT relation FROM public.notes ORDER BY relation")
            let relations = try rows.map { try $0.decode(0, as: String.self) }
            #expect(relations == ["key_events", "service_keys"])
            for key in keys { #expect(try await eventTypes(key, mortise) == ["disabled", "created"]) }
        }
    }

    @Test func `keys that are stopped together keep what each of them had`() async throws {
        try await withMortise { mortise in
            let keys = try await makeKeys(3, mortise)
            _ = try await mortise.api.post("\(keys[1].path)/disable", as: mortise.adminToken)
            _ = try await mortise.api.send("PATCH", keys[2].path, ["description": "kept"], as: mortise.adminToken)
            let database = try await mortise.workspaceDatabase()
            let state = """
                SELECT concat_ws(' ', name, description, disabled_at, unique_name IS NULL, revoked_at IS NULL, revocation_reason)
                FROM auth.service_keys WHERE name LIKE 'key %' ORDER BY name
                """
            let before = try await mortise.rows(database, state).map { try $0.decode(0, as: String.self) }
            let body: JSONValue = ["ids": ids(keys), "reason": "leaked"]
            let answer = try await mortise.api.post("\(Self.batch)/revoke", body, as: mortise.adminToken)
            #expect(answer.status == 200, "\(answer)")
            let after = try await mortise.rows(database, state).map { try $0.decode(0, as: String.self) }
            // The names become free, and nothing else changes.
            #expect(after == before.map { String($0.dropLast(4)) + " t f leaked" })
            #expect(before.allSatisfy { $0.hasSuffix(" f t") })
        }
    }

    // The attack: a request with a foreign id learns if the key exists, or stops the keys beside it.
    @Test func `with an unknown key, a foreign key or a key of another kind nothing is changed`() async throws {
        try await withMortise { mortise in
            let keys = try await makeKeys(2, mortise)
            let path = "/v1/organizations/default/workspaces"
            let other = try await mortise.api.post(path, ["name": "Other"], as: mortise.adminToken).string("id")
            let elsewhere = try await mortise.makeKey("elsewhere", in: other)
            let client = try await mortise.makeClientKey()
            let details = try await Self.refusals(
                of: [Self.unknown, elsewhere.id, client.id, Self.unknown.uppercased()],
                beside: keys,
                mortise
            )
            #expect(Set(details).count == 1, "\(details)")
            for key in keys + [elsewhere] {
                #expect(try await mortise.verdict(key.token) == "valid")
                #expect(try await eventTypes(key, mortise) == ["created"])
            }
        }
    }

    private static func refusals(
        of foreign: [String],
        beside keys: [ServerHarness.IssuedKey],
        _ mortise: ServerHarness
    ) async throws -> [String] {
        var details: [String] = []
        for id in foreign {
            for change in ["revoke", "disable"] {
                let body: JSONValue = ["ids": [.string(keys[0].id), .string(id), .string(keys[1].id)]]
                let answer = try await mortise.api.post("\(batch)/\(change)", body, as: mortise.adminToken)
                #expect(answer.status == 404 && answer.code == "not_found", "\(answer)")
                let pointers = answer["errors"]?.array?.compactMap { $0["pointer"]?.string }
                #expect(pointers == ["/ids/1"], "\(answer)")
                details.append(try answer.string("detail"))
            }
        }
        return details
    }

    @Test func `a revoked key is not disabled, the answer names it, and the others stay enabled`() async throws {
        try await withMortise { mortise in
            let keys = try await makeKeys(3, mortise)
            _ = try await mortise.api.post("\(keys[2].path)/revoke", as: mortise.adminToken)
            let body: JSONValue = ["ids": ids(keys)]
            let answer = try await mortise.api.post("\(Self.batch)/disable", body, as: mortise.adminToken)
            #expect(answer.status == 409 && answer.code == "conflict", "\(answer)")
            let pointers = answer["errors"]?.array?.compactMap { $0["pointer"]?.string }
            #expect(pointers == ["/ids/2"])
            #expect(try answer.string("detail").contains("revoked"))
            for key in keys.dropLast() { #expect(try await mortise.verdict(key.token) == "valid") }
        }
    }

    @Test func `a request without keys, with too many or with a repeated one is refused`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            let tooMany = (0...100).map { JSONValue.string("0198c0de-0000-7000-8000-\(100_000_000_000 + $0)") }
            for ids: JSONValue in [[], [.string(key.id), .string(key.id)], .array(tooMany), ["x"]] {
                for change in ["revoke", "disable"] {
                    let path = "\(Self.batch)/\(change)"
                    let answer = try await mortise.api.post(path, ["ids": ids], as: mortise.adminToken)
                    #expect(answer.status == 400, "\(answer)")
                }
            }
            #expect(try await mortise.verdict(key.token) == "valid")
        }
    }

    // The attack: a credential that cannot stop a stronger key alone stops it among others.
    @Test func `a restricted credential stops no stronger key in a batch, and no key beside it`() async throws {
        try await withMortise { mortise in
            let writer = try await mortise.makeAdmin(["keys:read", "keys:write"])
            let weak = try await mortise.makeAdmin(["keys:read"])
            let strong = try await mortise.makeAdmin(["keys:read", "events:read"])
            for change in ["revoke", "disable"] {
                let answer = try await mortise.api.post(
                    "/v1/organizations/default/admin-keys/batch/\(change)",
                    ["ids": ids([weak, strong])],
                    as: writer.token
                )
                #expect(answer.status == 403, "\(answer)")
                let pointers = answer["errors"]?.array?.compactMap { $0["pointer"]?.string }
                #expect(pointers == ["/ids/1"])
                for key in [weak, strong] {
                    #expect(try await mortise.api.get("/v1/me", as: key.token).status == 200)
                }
            }
        }
    }

    // The accident: all operator keys are selected, and nobody can create another one.
    @Test func `the last operator key that works is not revoked among others`() async throws {
        try await withMortise { mortise in
            let made = try await mortise.api.post("/v1/operator-keys", ["name": "second"], as: mortise.operatorToken)
            let list = try await mortise.api.get("/v1/operator-keys", as: mortise.operatorToken)
            let all = list["data"]?.array?.compactMap { $0["id"] } ?? []
            #expect(made.status == 201 && all.count == 2)
            let path = "/v1/operator-keys/batch/revoke"
            let answer = try await mortise.api.post(path, ["ids": .array(all)], as: mortise.operatorToken)
            #expect(answer.status == 409, "\(answer)")
            for token in [mortise.operatorToken, try made.string("token")] {
                #expect(try await mortise.api.get("/v1/me", as: token).status == 200)
            }
        }
    }
}
