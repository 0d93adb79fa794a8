import FoundationEssentials
import Glibc
import HTTPTestSupport
import JSON
import Keys
import Locks
import People
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

/// Sessions of an organization's own application: which tokens are accepted, and what they permit.
@Suite(.hangLimit) struct SessionIssuerTests {
    private static let path = "/v1/organizations/default/session-issuers"
    private static let now: Int64 = 1_800_000_000
    private static let time = Timestamp(microsecondsSinceUnixEpoch: now * 1_000_000)

    private func add(
        _ mortise: ServerHarness,
        _ settings: JSONValue,
        organization: String = "default"
    ) async throws -> Answer {
        var body = settings.object ?? JSONObject()
        body["issuer"] = body["issuer"] ?? .string(IssuerKeys.issuer)
        let path = "/v1/organizations/\(organization)/session-issuers"
        return try await mortise.api.post(path, .object(body), as: mortise.operatorToken)
    }

    private func session(_ mortise: ServerHarness, _ token: String, at time: Timestamp = time) async throws
        -> ExternalSession
    {
        let principal = try await mortise.server.platform.sessionIssuers.principal(for: token, now: time)
        guard case .external(let session) = principal.identity else { throw Refusal.unauthenticated }
        #expect(principal.permissions.isEmpty)
        return session
    }

    /// Returns the reason for which a token is refused, or `nil` if it is accepted.
    private func refusal(_ mortise: ServerHarness, _ token: String, at time: Timestamp = time) async -> String? {
        do {
            _ = try await session(mortise, token, at: time)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `operators can add, list and remove session issuers, and an issuer has one organization`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let added = try await add(mortise, ["jwks": try keys.keySet()])
            #expect(added.status == 201)
            #expect(added["algorithms"] == ["RS256"])
            #expect(added["manage_roles"] == ["admin"])
            #expect(added["has_inline_jwks"] == true)
            let acme = try await mortise.makeOrganization("Acme")
            #expect(try await add(mortise, ["jwks": try keys.keySet()], organization: "acme").status == 409)
            let list = try await mortise.api.get(Self.path, as: mortise.operatorToken)
            #expect(list["data"]?.array?.compactMap { $0["id"] } == [added["id"] ?? .null])
            let claims = IssuerKeys.claims(at: Self.now)
            let session = try await self.session(mortise, try keys.rs256(claims))
            #expect(UUIDv7.text(of: session.organizationID) == added["organization_id"]?.string)
            let id = try added.string("id")
            // The issuer exists only under its own organization.
            let foreign = "/v1/organizations/\(acme.id)/session-issuers/\(id)"
            #expect(try await mortise.api.send("DELETE", foreign, as: mortise.operatorToken).status == 404)
            #expect(try await mortise.api.send("DELETE", "\(Self.path)/\(id)", as: mortise.operatorToken).status == 204)
            #expect(try await refusal(mortise, keys.rs256(claims)) == "unauthenticated")
            #expect(try await mortise.api.get(Self.path, as: mortise.adminToken).status == 403)
        }
    }

    @Test func `a refused session issuer names each fault`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys().keySet()
            let cases: [(JSONValue, [String])] = [
                ([:], ["/jwks_url"]), (["jwks": keys, "jwks_url": "https://x.example"], ["/jwks_url"]),
                (["jwks_url": "http://keys.example/jwks"], ["/jwks_url"]), (["jwks_url": "ftp://x"], ["/jwks_url"]),
                (["jwks_url": "https://user@x.example/"], ["/jwks_url"]), (["jwks_file": "relative"], ["/jwks_file"]),
                (["jwks": ["keys": []]], ["/jwks"]), (["jwks": keys, "algorithms": ["HS256"]], ["/algorithms/0"]),
                (["jwks": keys, "algorithms": ["none"]], ["/algorithms/0"]),
                (["jwks": keys, "algorithms": []], ["/algorithms"]),
                // Keys that can verify nothing: of no use for the algorithm, without their numbers, or shared secrets.
                (["jwks": ["keys": [keys["keys"]?.array?[5] ?? .null]]], ["/jwks"]),
                (["jwks": ["keys": [["kty": "RSA", "kid": "k"]]]], ["/jwks"]),
                (["jwks": ["keys": [["kty": "oct", "kid": "k", "k": "AAAA"]]]], ["/jwks"]),
            ]
            // The index entry has a maximum size in bytes. These characters do not compress.
            let long = String(String.UnicodeScalarView((0x4E00..<0x4E00 + 1500).compactMap(Unicode.Scalar.init)))
            let tooLong = try await add(mortise, ["issuer": .string(long), "jwks": keys])
            #expect(tooLong.status == 400 && tooLong.pointers == ["/issuer"], "\(tooLong)")
            for (body, pointers) in cases {
                let answer = try await add(mortise, body)
                #expect(answer.status == 400, "\(body.text): \(answer)")
                #expect(answer.pointers == pointers, "\(body.text): \(answer)")
            }
        }
    }

    // The attack: a private key that was pasted in place of the public one is read from a dump years later.
    @Test func `a private key is refused, and no secret of a key set is stored`() async throws {
        try await withMortise { mortise in
            var key = try #require(try IssuerKeys().keySet()["keys"]?.array?[3].object)
            key["d"] = "c2VjcmV0"
            let refused = try await add(mortise, ["jwks": ["keys": [.object(key)]]])
            #expect(refused.status == 400 && refused.pointers == ["/jwks"], "\(refused)")
            #expect(!refused.text.contains("c2VjcmV0"))
            // The set of the test has a shared secret too, which is skipped.
            #expect(try await add(mortise, ["jwks": try IssuerKeys().keySet()]).status == 201)
            let stored = try await mortise.rows(
                mortise.installation.control,
                "SELECT jwks::text FROM control.session_issuers"
            )
            let text = try #require(stored.first).decode(0, as: String.self)
            #expect(!text.contains("oct") && !text.contains("AAAA") && text.contains("RSA"))
        }
    }

    // The attack: the issuer also signs OAuth access tokens, which any of its clients gets, and one is shown as a session.
    @Test func `only a session that is meant for Mortise counts`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            #expect(try await add(mortise, ["jwks": try keys.keySet()]).status == 201)
            let claims = IssuerKeys.claims(at: Self.now)
            for type: JSONValue? in [nil, "JWT", "jwt"] {
                #expect(await refusal(mortise, try keys.rs256(claims, header: [("typ", type)])) == nil, "\(type ?? "")")
            }
            for type: JSONValue in ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", 1] {
                let token = try keys.rs256(claims, header: [("typ", type)])
                #expect(await refusal(mortise, token) == "unauthenticated", "\(type)")
            }
            func aud(_ value: JSONValue?) throws -> String {
                try keys.rs256(IssuerKeys.claims(at: Self.now, [("aud", value)]))
            }
            for value: JSONValue in ["https://api.example", ["https://api.example"], [], 1, .null] {
                #expect(await refusal(mortise, try aud(value)) == "unauthenticated", "\(value)")
            }
            let list = try await mortise.api.get(Self.path, as: mortise.operatorToken)
            let id = try #require(list["data"]?.array?.first?["id"]?.string)
            _ = try await mortise.api.send("DELETE", "\(Self.path)/\(id)", as: mortise.operatorToken)
            let added = try await add(mortise, ["jwks": try keys.keySet(), "audiences": ["mortise", "keys"]])
            #expect(added["audiences"] == ["mortise", "keys"], "\(added)")
            for value: JSONValue in ["mortise", ["other", "keys"]] {
                #expect(await refusal(mortise, try aud(value)) == nil, "\(value)")
            }
            for value: JSONValue? in [nil, "Mortise", ["other"], "mortise "] {
                #expect(await refusal(mortise, try aud(value)) == "unauthenticated", "\(value ?? "none")")
            }
        }
    }

    // The attack: a token without a valid signature of the issuer, in every form that is known to deceive verifiers.
    @Test func `a token is accepted only with the issuer's signature by a configured algorithm`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let set = try keys.keySet()
            #expect(
                try await add(mortise, ["jwks": set, "algorithms": ["RS256", "ES256", "EdDSA"]]).status == 201
            )
            let claims = IssuerKeys.claims(at: Self.now)
            for token in [try keys.rs256(claims), try keys.es256(claims), try keys.ed25519(claims)] {
                #expect(await refusal(mortise, token) == nil)
            }
            let stranger = try IssuerKeys()
            let modulus = set["keys"]?.array?[3]["n"]?.string ?? ""
            let parts = try keys.rs256(claims).split(separator: ".").map(String.init)
            var wrong = [
                try stranger.rs256(claims), try stranger.es256(claims), try stranger.ed25519(claims),
                try keys.hs256(claims, secret: keys.publicPEM), try keys.hs256(claims, secret: modulus),
                try keys.hs256(claims, secret: "", keyID: "secret"), try keys.unsigned(claims, algorithm: "none"),
                try keys.unsigned(claims, algorithm: "RS256"), try keys.rs256(claims, header: [("alg", "none")]),
                try keys.rs256(claims, header: [("alg", "RS512")]), try keys.rs256(claims, header: [("alg", "ES256")]),
                try keys.rs256(claims, header: [("kid", nil)]), try keys.rs256(claims, header: [("kid", "k1-es")]),
                try keys.rs256(claims, header: [("kid", "encryption")]),
                try keys.rs256(claims, header: [("crit", ["exp"])]), "a.b.c", "..",
                parts.prefix(2).joined(separator: ".") + ".",
                Base64URL.encode(.object(["alg": "RS256", "kid": "k1"])) + "." + parts[1] + "." + parts[2],
                parts[0] + "." + parts[1] + "." + parts[2] + "=", mortise.adminToken,
            ]
            // These headers carry their own key or the URL of one.
            wrong.append(try stranger.rs256(claims, header: [("jwk", try stranger.keySet()["keys"]?.array?[3])]))
            wrong.append(try stranger.rs256(claims, header: [("jku", "https://evil.example/jwks")]))
            for token in wrong {
                #expect(await refusal(mortise, token) == "unauthenticated", "\(token)")
            }
            // A member's session is not accepted as such a token, and such a token is not accepted as a member's
            // session.
            let member = try await mortise.session("ada@example.org", "admin")
            #expect(await refusal(mortise, member) == "unauthenticated")
            #expect(try await mortise.api.get("/v1/me", as: try keys.rs256(claims)).status == 401)
        }
    }

    @Test func `a token is refused if its time, party, subject or issuer is wrong`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let set = try keys.keySet()
            #expect(
                try await add(mortise, ["jwks": set, "authorized_parties": ["https://app.example"]]).status == 201
            )
            let wrong: [[(String, JSONValue?)]] = [
                [("exp", .integer(Self.now - 6))], [("exp", nil)], [("exp", "2030")], [("nbf", .integer(Self.now + 6))],
                [("nbf", "x")], [("azp", "https://evil.example")], [("azp", nil)], [("sub", nil)], [("sub", "")],
                [("sub", "a\u{0}b")], [("sub", 5)], [("iss", "https://other.example")], [("iss", nil)],
                [("iss", "https://issuer.example/")], [("sts", "pending")],
            ]
            for changes in wrong {
                let token = try keys.rs256(IssuerKeys.claims(at: Self.now, changes))
                #expect(await refusal(mortise, token) == "unauthenticated", "\(changes)")
            }
            let right: [[(String, JSONValue?)]] = [
                [("exp", .integer(Self.now - 4))], [("nbf", .integer(Self.now + 4))], [("nbf", nil)], [("sid", nil)],
            ]
            for changes in right {
                let token = try keys.rs256(IssuerKeys.claims(at: Self.now, changes))
                #expect(await refusal(mortise, token) == nil, "\(changes)")
            }
            let token = try keys.rs256(IssuerKeys.claims(at: Self.now))
            let late = Timestamp(microsecondsSinceUnixEpoch: (Self.now + 66) * 1_000_000)
            #expect(await refusal(mortise, token, at: late) == "unauthenticated")
        }
    }

    @Test func `a session can read and manage what its role allows, in both versions of the claims`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let settings: JSONValue = [
                "jwks": try keys.keySet(), "read_roles": ["member"], "manage_roles": ["org:admin"],
            ]
            #expect(try await add(mortise, settings).status == 201)
            func session(_ changes: [(String, JSONValue?)]) async throws -> ExternalSession {
                try await self.session(mortise, try keys.rs256(IssuerKeys.claims(at: Self.now, changes)))
            }
            func expect(_ session: ExternalSession, _ read: Bool, _ manage: Bool) {
                #expect(session.allows(.keysRead, over: "org_1") == read)
                #expect(session.allows(.keysWrite, over: "org_1") == manage)
                #expect(session.allows(.keysRead, over: "user_1") && session.allows(.keysWrite, over: "user_1"))
                #expect(!session.allows(.keysRead, over: "user_2") && !session.allows(.keysWrite, over: "org_2"))
            }
            let alone = try await session([])
            expect(alone, false, false)
            #expect(alone.defaultSubject == "user_1")
            for (role, read, manage) in [("admin", true, true), ("member", true, false), ("guest", false, false)] {
                let two = try await session([("o", ["id": "org_1", "slg": "one", "rol": .string(role)])])
                expect(two, read, manage)
                #expect(two.defaultSubject == "org_1")
                #expect(two.activeOrganization?.slug == "one")
                expect(
                    try await session([
                        ("v", 1), ("org_id", "org_1"), ("org_role", .string("org:\(role)")),
                    ]),
                    read,
                    manage
                )
            }
        }
    }

    @Test func `a session can reach its own client keys only`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            #expect(try await add(mortise, ["jwks": try keys.keySet()]).status == 201)
            let platform = mortise.server.platform
            let token = try keys.rs256(IssuerKeys.claims(at: Self.now))
            let principal = try await platform.sessionIssuers.principal(for: token, now: Self.time)
            #expect(principal.actor == "session:user_1")
            let home = try await platform.access.clientKeys(ofWorkspace: nil, for: principal, .keysWrite)
            #expect(home.subject == "user_1")
            for permission in Permission.allCases where permission != .platform {
                await #expect(throws: Refusal.self) {
                    try await platform.access.clientKeys(
                        ofWorkspace: nil,
                        subject: "user_2",
                        for: principal,
                        permission
                    )
                }
                await #expect(throws: Refusal.self) {
                    try await platform.access.keys(ofWorkspace: nil, for: principal, permission)
                }
                await #expect(throws: Refusal.self) {
                    try await platform.access.keys(ofOrganization: "default", for: principal, permission)
                }
            }
            #expect(throws: Refusal.self) { try platform.access.audience(of: principal) }
            #expect(throws: Refusal.self) { try platform.access.keysOfPlatform(for: principal) }
            let caller = Caller(principal: principal, address: nil, requestID: nil)
            await #expect(throws: Refusal.self) {
                try await platform.members.add(
                    NewMember(email: "x@example.org", role: .member),
                    organization: "default",
                    by: caller,
                    answer: { _ in "" }
                )
            }
            await #expect(throws: Refusal.self) {
                try await platform.workspaces.create(
                    NewWorkspace(organizationID: try #require(principal.organizationID), name: "x"),
                    by: caller
                ) { _ in "" }
            }
        }
    }

    // The attack: a request names a subject that Swift considers equal to the user's own, but the database does not.
    @Test func `a subject must equal the session's own subject byte for byte`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            #expect(try await add(mortise, ["jwks": try keys.keySet()]).status == 201)
            let changes: [(String, JSONValue?)] = [
                ("sub", "user_aK"), ("o", ["id": "org_\u{E9}", "slg": "e", "rol": "admin"]),
            ]
            let token = try keys.rs256(IssuerKeys.claims(at: Self.now, changes))
            let access = mortise.server.platform.access
            let principal = try await mortise.server.platform.sessionIssuers.principal(for: token, now: Self.time)
            for subject in ["user_aK", "org_\u{E9}"] {
                let home = try await access.clientKeys(ofWorkspace: nil, subject: subject, for: principal, .keysWrite)
                #expect(home.subject.map { Array($0.utf8) } == Array(subject.utf8))
            }
            for (other, own) in [("user_a\u{212A}", "user_aK"), ("org_e\u{301}", "org_\u{E9}")] {
                #expect(other == own)
                await #expect(throws: Refusal.self) {
                    try await access.clientKeys(ofWorkspace: nil, subject: other, for: principal, .keysWrite)
                }
            }
        }
    }

    // Two keys with one id are ambiguous, so neither key is used.
    @Test func `keys that share an id are not used`() async throws {
        try await withMortise { mortise in
            let (keys, other) = (try IssuerKeys(), try IssuerKeys())
            let both = (try keys.keySet()["keys"]?.array ?? []) + [try other.keySet()["keys"]?.array?[3] ?? .null]
            #expect(
                try await add(mortise, ["jwks": ["keys": .array(both)], "algorithms": ["RS256", "ES256"]]).status == 201
            )
            let claims = IssuerKeys.claims(at: Self.now)
            for token in [try keys.rs256(claims), try other.rs256(claims)] {
                #expect(await refusal(mortise, token) == "unauthenticated")
            }
        }
    }

    // The attack: a key file is a pipe without a writer, so a reader would wait without end.
    @Test func `a key file must be a regular file`() async throws {
        try await withMortise { mortise in
            let keys = try IssuerKeys()
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("issuer-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (pipe, file, link) = ("\(folder.path)/pipe", "\(folder.path)/file", "\(folder.path)/link")
            #expect(mkfifo(pipe, 0o600) == 0)
            #expect(FileManager.default.createFile(atPath: file, contents: Data(try keys.keySet().text.utf8)))
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file")
            // The test finally releases a reader that waits, so that a fault does not stop the other tests.
            let isReleased = Locked(false)
            let release: @Sendable () -> Void = {
                isReleased.withLock { $0 = true }
                close(open(pipe, O_RDWR | O_NONBLOCK))
            }
            let writer = Task {
                do {
                    try await eventually("the time of a reader is over") { false }
                } catch is NeverHappened {
                    release()
                }
            }
            for (path, isGood) in [(pipe, false), (folder.path, false), (link, true)] {
                let issuer = "https://issuer.example\(path)"
                let added = try await add(mortise, ["issuer": .string(issuer), "jwks_file": .string(path)])
                #expect(added.status == 201, "\(added)")
                let refusal = await self.refusal(
                    mortise,
                    try keys.rs256(IssuerKeys.claims(at: Self.now, [("iss", .string(issuer))]))
                )
                #expect(refusal == (isGood ? nil : "unavailable"), "\(path)")
                #expect(!isReleased.withLock { $0 }, "\(path)")
            }
            writer.cancel()
        }
    }

    @Test func `keys are fetched once, and again for an unknown key id at most once a minute`()
        async throws
    {
        let (old, new) = (try IssuerKeys("old"), try IssuerKeys("new"))
        let current = Locked(try old.keySet().text)
        let clock = Locked(Duration.zero)
        let elapsed: @Sendable () -> Duration = { clock.withLock { $0 } }
        try await ScriptedServer.with({ _ in .json(current.withLock { $0 }) }) { issuer in
            try await withMortise(configure: { $0.elapsed = elapsed }) { mortise in
                #expect(try await add(mortise, ["jwks_url": .string("\(issuer.url)/jwks.json")]).status == 201)
                let claims = IssuerKeys.claims(at: Self.now)
                // Concurrent verifications share one request.
                let token = try old.rs256(claims)
                await withTaskGroup(of: String?.self) { group in
                    for _ in 0..<8 { group.addTask { await self.refusal(mortise, token) } }
                    for await refusal in group { #expect(refusal == nil) }
                }
                #expect(issuer.requests.map(\.uri) == ["/jwks.json"])
                // Within the minute an unknown id is refused without a request.
                current.withLock { $0 = (try? new.keySet().text) ?? "" }
                #expect(try await self.refusal(mortise, new.rs256(claims)) == "unauthenticated")
                #expect(issuer.requests.count == 1)
                #expect(await self.refusal(mortise, token) == nil)
                // After the minute, one request fetches the new key. The old key, which was removed, is not accepted
                // any more.
                clock.withLock { $0 = .seconds(60) }
                #expect(try await self.refusal(mortise, new.rs256(claims)) == nil)
                #expect(await self.refusal(mortise, token) == "unauthenticated")
                #expect(issuer.requests.count == 2)
                // The keys are fetched again when they are an hour old, and still used if that fails.
                current.withLock { $0 = "nonsense" }
                clock.withLock { $0 = .seconds(60 + 3600) }
                #expect(try await self.refusal(mortise, new.rs256(claims)) == nil)
                try await eventually("the set is fetched again") { issuer.requests.count == 3 }
                // After a day without a successful fetch they are not used any more.
                clock.withLock { $0 = .seconds(60 + 86_400) }
                #expect(try await self.refusal(mortise, new.rs256(claims)) == "unavailable")
            }
        }
    }

    // The fault: the set is an hour old, and its server answers a byte a second or nothing. All users wait.
    @Test func `known keys answer while a set is fetched again, and a fetch that does not end is given up`()
        async throws
    {
        let keys = try IssuerKeys()
        let isSilent = Locked(false)
        let clock = Locked(Duration.zero)
        let elapsed: @Sendable () -> Duration = { clock.withLock { $0 } }
        let set = try keys.keySet().text
        let script: @Sendable (SeenRequest) -> Reply = { _ in isSilent.withLock { $0 } ? .drip : .json(set) }
        try await ScriptedServer.with(script) { issuer in
            try await withMortise(configure: {
                $0.elapsed = elapsed
                // The first fetch must be in time, and the later ones must not.
                $0.outboundDeadline = .seconds(2).onThisMachine
            }) { mortise in
                #expect(try await add(mortise, ["jwks_url": .string(issuer.url)]).status == 201)
                let token = try keys.rs256(IssuerKeys.claims(at: Self.now))
                #expect(await refusal(mortise, token) == nil)
                isSilent.withLock { $0 = true }
                clock.withLock { $0 = .seconds(3600) }
                #expect(await refusal(mortise, token) == nil)
                // Only a token with an unknown key waits, and not for ever.
                let unknown = try IssuerKeys("unknown").rs256(IssuerKeys.claims(at: Self.now))
                #expect(await refusal(mortise, unknown) == "unauthenticated")
                try await eventually("the fetch was given up") { mortise.log.text.contains("was not complete within") }
            }
        }
    }

    @Test func `an issuer whose keys cannot be read makes its sessions unavailable, and the log says so`() async throws
    {
        for reply in [Reply.answer(500, "{}"), .json("<html>"), .json("{\"keys\": []}"), .hangUp] {
            try await ScriptedServer.with({ _ in reply }) { issuer in
                try await withMortise { mortise in
                    #expect(try await add(mortise, ["jwks_url": .string(issuer.url)]).status == 201)
                    let token = try IssuerKeys().rs256(IssuerKeys.claims(at: Self.now))
                    #expect(await refusal(mortise, token) == "unavailable")
                    #expect(mortise.log.text.contains("the keys of a session issuer cannot be read"))
                }
            }
        }
    }

    @Test func `keys can be in a file`() async throws {
        let keys = try IssuerKeys()
        let file = FileManager.default.temporaryDirectory.appending(path: "jwks-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(keys.keySet().text.utf8).write(to: URL(filePath: file))
        try await withMortise { mortise async throws in
            #expect(try await add(mortise, ["jwks_file": .string(file)]).status == 201)
            #expect(try await refusal(mortise, keys.rs256(IssuerKeys.claims(at: Self.now))) == nil)
        }
    }
}
