import JSON
import Keys
import Locks
import Postgres
import Server
import ServerTestSupport
import Surfaces
import TestSupport
import Testing

/// Limits of sign-in.
@Suite(.hangLimit) struct SignInLimitTests {
    // The attack: somebody tries one common password on every account, so each account has one failure only.
    @Test func `an address that fails for many accounts is blocked for every account`() async throws {
        try await withMortise(configure: {
            $0.elapsed = { .zero }
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        }) { mortise in
            _ = try await mortise.addMember("ada@example.org", "owner")
            for number in 0..<100 {
                let answer = try await mortise.trySignIn("user\(number)@example.org", "a guess", from: "192.0.2.7")
                #expect(answer.status == 401)
            }
            let stopped = try await mortise.trySignIn("ada@example.org", from: "192.0.2.7")
            #expect(stopped.status == 429, "\(stopped)")
            let seconds = try #require(stopped.headers["retry-after"])
            #expect(stopped.headers["ratelimit"] == "\"attempts\";r=0;t=\(seconds)")
            #expect(stopped.headers["ratelimit-policy"] == "\"attempts\";q=100;w=900")
            #expect(try await mortise.trySignIn("ada@example.org", from: "192.0.2.8").status == 201)
        }
    }

    // The attack: an address that is stopped goes on with made-up accounts, each of which has an event, until the database is full.
    @Test func `an address that is stopped leaves few events, however many accounts it names`() async throws {
        try await withMortise(configure: {
            $0.elapsed = { .zero }
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        }) { mortise in
            for number in 0..<130 {
                let answer = try await mortise.trySignIn("user\(number)@example.org", "a guess", from: "192.0.2.7")
                #expect(answer.status == (number < 100 ? 401 : 429), "\(number): \(answer)")
            }
            let reasons = try await mortise.rows(
                mortise.installation.control,
                "SELECT changes ->> 'reason' FROM auth.key_events WHERE type = 'session.refused'"
            )
            let texts = try reasons.map { try $0.decode(0, as: String.self) }
            #expect(texts.count { $0 == "wrong_credentials" } == 100)
            // Ten of accounts, and one of the address.
            #expect(texts.count { $0 == "too_many_attempts" } == 11)
        }
    }

    // The attack: somebody guesses at night, and nobody finds a trace of it in the morning.
    @Test func `refused sign-ins leave events, for known and unknown addresses alike`() async throws {
        let time = Locked(Duration.zero)
        try await withMortise(configure: { $0.elapsed = { time.withLock { $0 } } }) { mortise in
            let ada = try await mortise.addMember("ada@example.org", "owner")
            func events() async throws -> [JSONValue] {
                let path = "/v1/organizations/default/events?type=session.refused"
                let page = try await mortise.api.get(path, as: mortise.adminToken)
                return (page["data"]?.array ?? []).compactMap { $0["changes"] }
            }
            for _ in 0..<3 { #expect(try await mortise.trySignIn("ada@example.org", "a guess").status == 401) }
            let first = try await events()
            #expect(first.map { $0["user"] } == [.string(ada.userID)], "\(first)")
            #expect(first.map { $0["reason"] } == ["wrong_credentials"] && first.map { $0["count"] } == [1], "\(first)")
            time.withLock { $0 = .seconds(61) }
            var last = 0
            while last != 429 { last = try await mortise.trySignIn("ada@example.org", "a guess").status }
            let found = try await events()
            #expect(found.map { $0["reason"] } == ["too_many_attempts", "wrong_credentials", "wrong_credentials"])
            #expect(found.map { $0["count"] } == [1, 3, 1], "\(found)")
            for text in ["nobody@example.org", "my secret typed here"] {
                #expect(try await mortise.trySignIn(text, "a guess").status != 201)
            }
            let unknown = try await mortise.rows(
                mortise.installation.control,
                "SELECT changes::text FROM auth.key_events WHERE type = 'session.refused' AND organization_id IS NULL"
            )
            let texts = try unknown.map { try $0.decode(0, as: String.self) }
            #expect(!texts.isEmpty && texts.allSatisfy { !$0.contains("nobody") && !$0.contains("secret typed") })
        }
    }

    // The attack: whoever has taken over a session guesses the password, to lock the member out for good, and nobody finds a trace of it.
    @Test func `guesses of the present password leave events of the member`() async throws {
        try await withMortise(configure: { $0.elapsed = { .zero } }) { mortise in
            let ada = try await mortise.addMember("ada@example.org", "owner")
            let session = try await mortise.signIn("ada@example.org").access
            let guess: JSONValue = ["current_password": "a guess", "new_password": "another horse battery"]
            var statuses: [Int] = []
            while statuses.last != 429, statuses.count < 100 {
                statuses.append(try await mortise.api.send("PUT", "/v1/me/password", guess, as: session).status)
            }
            #expect(statuses.count > 1 && statuses.last == 429, "\(statuses)")
            let path = "/v1/organizations/default/events?type=session.refused"
            let events = try await mortise.api.get(path, as: mortise.adminToken)["data"]?.array ?? []
            #expect(events.map { $0["changes"]?["reason"] } == ["too_many_attempts", "wrong_credentials"], "\(events)")
            #expect(events.allSatisfy { $0["changes"]?["user"] == .string(ada.userID) }, "\(events)")
        }
    }

    // The attack: a disabled user continues with an old session or signs in again.
    @Test func `a disabled user loses all sessions at once and cannot sign in`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "owner")
            _ = try await mortise.addMember("bob@example.org", "owner", as: mortise.operatorToken)
            let session = try await mortise.signIn("ada@example.org")
            try await mortise.script(
                mortise.installation.control,
                "UPDATE control.users SET disabled_at = now() WHERE email = 'ada@example.org'"
            )
            #expect(try await mortise.api.get("/v1/me", as: session.access).status == 401)
            let body: JSONValue = ["refresh_token": .string(session.refresh)]
            #expect(try await mortise.api.post("/v1/sessions/refresh", body, as: nil).status == 401)
            #expect(try await mortise.trySignIn("ada@example.org").status == 401)
            #expect(try await mortise.trySignIn("bob@example.org").status == 201)
        }
    }

    // The attack: a user whose role was reduced uses the old access token for what the old role allowed.
    @Test func `a change of role applies from the next request`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let person = try await mortise.addMember("ada@example.org", "admin")
            let token = try await mortise.signIn("ada@example.org").access
            for (role, status) in [("auditor", 403), ("admin", 201), ("member", 403)] {
                let change: JSONValue = ["role": .string(role)]
                #expect(try await api.send("PATCH", person.path, change, as: mortise.adminToken).status == 200)
                let made = try await api.post(ServerHarness.keys(), ["name": .string(role)], as: token)
                #expect(made.status == status, "\(role): \(made)")
            }
        }
    }
}
