import FoundationEssentials
import JSON
import Keys
import Locks
import Postgres
import Server
import ServerTestSupport
import Service
import Surfaces
import TestSupport
import Testing

/// Sign-in, refresh and sign-out of members.
@Suite(.hangLimit) struct SessionTests {
    @Test func `a member can sign in, refresh and sign out`() async throws {
        try await withMortise { mortise in
            let api = mortise.api
            let person = try await mortise.addMember("Ada@Example.org", "admin")
            let answer = try await mortise.trySignIn("ada@EXAMPLE.org")
            #expect(answer.status == 201)
            #expect(answer["user", "email"] == "ada@example.org")
            #expect(answer["expires_in"] == 900)
            #expect(answer["memberships"]?.array?.first?["role"] == "admin")
            let first = try answer.string("access_token")
            let me = try await api.get("/v1/me", as: first)
            #expect(me["type"] == "member")
            #expect(me["user", "id"]?.string == person.userID)
            #expect(me["organization_id"] == answer["organization_id"])
            #expect(try await api.get("/v1/workspaces", as: first).status == 200)

            let refreshed = try await api.post(
                "/v1/sessions/refresh",
                ["refresh_token": answer["refresh_token"] ?? .null],
                as: nil
            )
            #expect(refreshed.status == 200)
            #expect(refreshed["session_id"] == answer["session_id"])
            #expect(refreshed["refresh_token"] != answer["refresh_token"])
            let second = try refreshed.string("access_token")
            #expect(try await api.get("/v1/me", as: second).status == 200)

            #expect(try await api.send("DELETE", "/v1/sessions/current", as: second).status == 204)
            for token in [first, second] { #expect(try await api.get("/v1/me", as: token).status == 401) }
            let late = try await api.post(
                "/v1/sessions/refresh",
                ["refresh_token": refreshed["refresh_token"] ?? .null],
                as: nil
            )
            #expect(late.status == 401)
            // The events name the member as the actor.
            let events = try await mortise.rows(
                mortise.installation.control,
                "SELECT type, actor FROM auth.key_events WHERE type LIKE 'session.%' ORDER BY id"
            )
            #expect(try events.map { try $0.decode(0, as: String.self) } == ["session.begun", "session.ended"])
            let actor = try events.first?.decode(1, as: String.self)
            #expect(actor == "member:\(person.userID)")
        }
    }

    // The attack: somebody copies a refresh token and uses it before or after its owner.
    @Test func `a refresh token that is used twice ends the session`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let other = try await mortise.signIn("ada@example.org")
            let session = try await mortise.signIn("ada@example.org")
            let body: JSONValue = ["refresh_token": .string(session.refresh)]
            let next = try await mortise.api.post("/v1/sessions/refresh", body, as: nil)
            #expect(next.status == 200)
            #expect(try await mortise.api.post("/v1/sessions/refresh", body, as: nil).status == 401)
            for token in [session.access, try next.string("access_token")] {
                #expect(try await mortise.api.get("/v1/me", as: token).status == 401)
            }
            let newest: JSONValue = ["refresh_token": next["refresh_token"] ?? .null]
            #expect(try await mortise.api.post("/v1/sessions/refresh", newest, as: nil).status == 401)
            // The member's other session is not affected.
            #expect(try await mortise.api.get("/v1/me", as: other.access).status == 200)
        }
    }

    // The attack: a stranger makes up refresh tokens with a right checksum. Each took one of the few connections for changes, and wrote to the log
    // of PostgreSQL. A transaction would wait for the lock here, and a read does not.
    @Test func `a refresh token that nobody has costs one read`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let session = try await mortise.signIn("ada@example.org")
            let body: JSONValue = ["refresh_token": .string(session.refresh)]
            try await mortise.withConnection(mortise.installation.control) { person in
                try await person.script("DELETE FROM control.refresh_tokens")
                try await person.script("BEGIN; LOCK TABLE control.refresh_tokens IN EXCLUSIVE MODE")
                let answer = try await mortise.api.post("/v1/sessions/refresh", body, as: nil)
                #expect(answer.status == 401, "\(answer)")
                try await person.script("COMMIT")
            }
        }
    }

    // The attack: the thief and the owner send the same refresh token at the same moment.
    @Test func `exactly one of several concurrent refreshes succeeds, and the session ends`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let session = try await mortise.signIn("ada@example.org")
            let statuses = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        try await mortise.api.post(
                            "/v1/sessions/refresh",
                            ["refresh_token": .string(session.refresh)],
                            as: nil
                        )
                    }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0.status == 200 }.count == 1)
            #expect(statuses.filter { $0.status == 401 }.count == 5)
            #expect(try await mortise.api.get("/v1/me", as: session.access).status == 401)
        }
    }

    @Test func `a session ends by inactivity, by age and by the removal of its user`() async throws {
        try await withMortise { mortise in
            for change in ["refresh_until = now()", "expires_at = now()"] {
                let token = try await mortise.session("\(change.prefix(3))@example.org", "admin")
                #expect(try await mortise.api.get("/v1/me", as: token).status == 200)
                try await mortise.script(mortise.installation.control, "UPDATE control.sessions SET \(change)")
                #expect(try await mortise.api.get("/v1/me", as: token).status == 401)
            }
            let person = try await mortise.addMember("gone@example.org", "admin")
            let session = try await mortise.signIn("gone@example.org")
            #expect(try await mortise.api.send("DELETE", person.path, as: mortise.adminToken).status == 204)
            #expect(try await mortise.api.get("/v1/me", as: session.access).status == 401)
            let body: JSONValue = ["refresh_token": .string(session.refresh)]
            #expect(try await mortise.api.post("/v1/sessions/refresh", body, as: nil).status == 401)
            #expect(try await mortise.trySignIn("gone@example.org").status == 401)
        }
    }

    // The attack: somebody forges or changes an access token.
    @Test func `an access token is accepted only with its signature and before its end`() async throws {
        try await withMortise { mortise in
            let token = try await mortise.session("ada@example.org", "admin")
            let parts = token.split(separator: ".").map(String.init)
            let secret = try #require(mortise.installation.secrets.sessions.first)
            func text(_ part: String) -> JSONValue { Self.decode(part) }
            func sign(_ header: JSONValue, _ claims: JSONValue) -> String {
                let signed = Base64URL.encode(header) + "." + Base64URL.encode(claims)
                return signed + "." + Base64URL.encode(secret.signature(of: Array(signed.utf8)).bytes)
            }
            var claims = try #require(text(parts[1]).object)
            let header = try #require(text(parts[0]).object)
            #expect(header["alg"] == "HS256")
            let again = sign(.object(header), .object(claims))
            #expect(try await mortise.api.get("/v1/me", as: again).status == 200)

            var wrong: [String] = []
            for algorithm in ["none", "None", "HS384", "RS256", ""] {
                var other = header
                other["alg"] = .string(algorithm)
                wrong.append(sign(.object(other), .object(claims)))
            }
            wrong.append(Base64URL.encode(["alg": "none"]) + "." + parts[1] + ".")
            wrong.append(Base64URL.encode(["alg": "none"]) + "." + parts[1] + "." + parts[2])
            wrong.append(parts[0] + "." + parts[1] + ".")
            wrong.append(parts[0] + "." + parts[1] + "." + String(parts[2].reversed()))
            var unknown = header
            unknown["kid"] = "other"
            wrong.append(sign(.object(unknown), .object(claims)))
            var critical = header
            critical["crit"] = ["b64"]
            wrong.append(sign(.object(critical), .object(claims)))
            let original = claims
            for (name, value) in [
                ("exp", JSONValue.integer(1)), ("nbf", .integer(4_000_000_000)), ("aud", "other"), ("iss", "other"),
                ("token_type", "refresh"), ("session_id", "x"), ("sub", "0198c0de-0000-7000-8000-00000000abcd"),
                ("exp", nil), ("nbf", "0"),
            ] {
                claims = original
                claims[name] = value
                wrong.append(sign(.object(header), .object(claims)))
            }
            for token in wrong { #expect(try await mortise.api.get("/v1/me", as: token).status == 401, "\(token)") }
        }
    }

    @Test func `a wrong password and an unknown address get the same answer`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            let wrong = try await mortise.trySignIn("ada@example.org", "not the password")
            let unknown = try await mortise.trySignIn("bob@example.org", "not the password")
            let none = try await mortise.trySignIn("no address", "not the password")
            #expect(wrong.status == 401)
            for answer in [unknown, none] {
                #expect(answer.status == 401)
                #expect(answer.comparable == wrong.comparable)
            }
            // A credential in the request has no effect, valid or not.
            for token in ["junk", mortise.adminToken] {
                let answer = try await mortise.api.post(
                    "/v1/sessions",
                    ["email": "ada@example.org", "password": .string(ServerHarness.memberPassword)],
                    as: token
                )
                #expect(answer.status == 201)
            }
        }
    }

    // The attack: a stranger fails on purpose for an admin's account to lock the admin out.
    @Test func `wrong guesses block only the network that guesses`() async throws {
        let clock = Locked(Duration.zero)
        let elapsed: @Sendable () -> Duration = { clock.withLock { $0 } }
        try await withMortise(configure: {
            $0.elapsed = elapsed
            $0.clients = ClientAddresses(trusting: [AddressRange(containing: .v4(0x7F00_0001), prefixLength: 8)])
        }) { mortise in
            _ = try await mortise.addMember("ada@example.org", "owner")
            for _ in 0..<GuessLimits.perPair {
                let answer = try await mortise.trySignIn("ada@example.org", "a wrong guess", from: "2001:db8:1:2::1")
                #expect(answer.status == 401)
            }
            // Another address of the same network is blocked too, even with the right password.
            for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"] {
                let answer = try await mortise.trySignIn("ada@example.org", from: address)
                #expect(answer.status == 429)
                #expect(answer.headers["retry-after"].flatMap { Int($0) }.map { (1...900).contains($0) } == true)
                #expect(answer.headers["ratelimit-policy"] == "\"attempts\";q=\(GuessLimits.perPair);w=900")
            }
            #expect(try await mortise.trySignIn("ada@example.org", from: "2001:db8:1:3::1").status == 201)
            #expect(try await mortise.trySignIn("ada@example.org", from: "192.0.2.7").status == 201)
            // After some time another guess is allowed.
            clock.withLock { $0 = .seconds(90) }
            #expect(
                try await mortise.trySignIn("ada@example.org", "wrong again", from: "2001:db8:1:2::1").status == 401
            )
            #expect(
                try await mortise.trySignIn("ada@example.org", "wrong again", from: "2001:db8:1:2::1").status == 429
            )
            // A right password does not count as a guess.
            for _ in 0..<(GuessLimits.perPair * 2) {
                #expect(try await mortise.trySignIn("ada@example.org", from: "192.0.2.7").status == 201)
            }
        }
    }

    @Test func `a sign-in replaces a hash of another cost, and the database has no password`()
        async throws
    {
        try await withInstallation { installation in
            let read = "SELECT password_hash FROM control.users"
            let old = try await withMortise(of: installation) { mortise in
                _ = try await mortise.addMember("ada@example.org", "admin")
                _ = try await mortise.signIn("ada@example.org")
                return try await mortise.rows(installation.control, read).first?.decode(0, as: String.self)
            }
            #expect(old?.hasPrefix("$scrypt$ln=10,r=8,p=1$") == true)
            try await withMortise(
                of: installation,
                configure: { $0.passwordCost = PasswordCost(logN: 11) ?? .standard }
            ) {
                mortise in
                #expect(try await mortise.trySignIn("ada@example.org", "not the password").status == 401)
                #expect(try await mortise.rows(installation.control, read).first?.decode(0, as: String.self) == old)
                _ = try await mortise.signIn("ada@example.org")
                let new = try await mortise.rows(installation.control, read).first?.decode(0, as: String.self)
                #expect(new?.hasPrefix("$scrypt$ln=11,r=8,p=1$") == true)
                _ = try await mortise.signIn("ada@example.org")
                #expect(try await mortise.rows(installation.control, read).first?.decode(0, as: String.self) == new)
            }
        }
    }

    @Test func `a member can change their password, which ends their other sessions`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "member")
            let other = try await mortise.signIn("ada@example.org")
            let own = try await mortise.signIn("ada@example.org")
            func change(_ current: String, _ new: String, as token: String) async throws -> Answer {
                let body: JSONValue = ["current_password": .string(current), "new_password": .string(new)]
                return try await mortise.api.send("PUT", "/v1/me/password", body, as: token)
            }
            let wrong = try await change("not the password", "another good one", as: own.access)
            #expect(wrong.status == 400)
            #expect(wrong.pointers == ["/current_password"])
            #expect(
                try await change(ServerHarness.memberPassword, "short", as: own.access).pointers == ["/new_password"]
            )
            #expect(try await change(ServerHarness.memberPassword, "another good one", as: own.access).status == 204)
            #expect(try await mortise.api.get("/v1/me", as: own.access).status == 200)
            #expect(try await mortise.api.get("/v1/me", as: other.access).status == 401)
            let replaced = try await mortise.trySignIn("ada@example.org")
            #expect(replaced.status == 401, "\(replaced)")
            _ = try await mortise.signIn("ada@example.org", "another good one")
            #expect(try await change("x", "another good one", as: mortise.adminToken).status == 403)
        }
    }

    @Test func `cleanup deletes sessions a week after their end and no other session`() async throws {
        try await withMortise { mortise in
            _ = try await mortise.addMember("ada@example.org", "admin")
            _ = try await mortise.signIn("ada@example.org")
            let token = try await mortise.signIn("ada@example.org").access
            try await mortise.script(
                mortise.installation.control,
                """
                UPDATE control.sessions SET expires_at = now() - interval '8 days'
                WHERE id = (SELECT id FROM control.sessions ORDER BY id LIMIT 1)
                """
            )
            #expect(try await mortise.server.platform.upkeep.deleteEndedSessions() == 1)
            #expect(try await mortise.api.get("/v1/me", as: token).status == 200)
            let tokens = try await mortise.rows(
                mortise.installation.control,
                "SELECT count(*) FROM control.refresh_tokens"
            )
            #expect(try tokens.first?.decode(0, as: Int64.self) == 1)
            // A session also ends by sign-out or by inactivity, long before its last day.
            for change in ["ended_at = now() - interval '%'", "refresh_until = now() - interval '%'"] {
                _ = try await mortise.signIn("ada@example.org")
                for (days, count) in [("6 days", 0), ("8 days", 1)] {
                    try await mortise.script(
                        mortise.installation.control,
                        """
                        UPDATE control.sessions SET \(change.replacing("%", with: days))
                        WHERE id = (SELECT id FROM control.sessions ORDER BY id DESC LIMIT 1)
                        """
                    )
                    let deleted = try await mortise.server.platform.upkeep.deleteEndedSessions()
                    #expect(deleted == count, "\(change) \(days)")
                }
            }
            #expect(try await mortise.api.get("/v1/me", as: token).status == 200)
        }
    }

    // The fault: the runtime role may not delete the marks, so that they, and with them ended sessions, stay for ever.
    @Test func `cleanup deletes a mark of what was used an hour after its end and no other mark`() async throws {
        try await withMortise { mortise in
            try await mortise.script(
                mortise.installation.control,
                """
                INSERT INTO control.single_uses (id, expires_at) VALUES
                    ('old', now() - interval '61 minutes'), ('late', now() - interval '50 minutes'),
                    ('new', now() + interval '10 minutes')
                """
            )
            #expect(try await mortise.server.platform.upkeep.deleteEndedSessions() == 0)
            let rows = try await mortise.rows(
                mortise.installation.control,
                "SELECT id FROM control.single_uses ORDER BY id"
            )
            #expect(try rows.map { try $0.decode(0, as: String.self) } == ["late", "new"])
        }
    }

    @Test func `a key can read its own identity`() async throws {
        try await withMortise { mortise in
            let admin = try await mortise.api.get("/v1/me", as: mortise.adminToken)
            #expect(admin["type"] == "admin_key")
            #expect(admin["permissions"]?.array?.contains("keys:verify") == true)
            #expect(try await mortise.api.get("/v1/me", as: mortise.operatorToken)["type"] == "operator_key")
            #expect(
                try await mortise.api.send("DELETE", "/v1/sessions/current", as: mortise.adminToken).status == 403
            )
        }
    }

    /// The limits of the program.
    private enum GuessLimits {
        static let perPair = 10
    }

    private static func decode(_ part: String) -> JSONValue {
        var text = part.replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        let bytes = Data(base64Encoded: text).map { Array($0) } ?? []
        return (try? JSONValue(parsing: bytes)) ?? .null
    }
}
