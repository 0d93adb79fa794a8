import FoundationEssentials
import MortiseClient
import ServerTestSupport
import TestSupport
import Testing

/// The client against the real server: the calls of the native API.
@Suite(.hangLimit) struct NativeTests {
    @Test func `a key can be created, changed, rotated, verified and revoked`() async throws {
        try await withClients { admin, _ in
            let keys = admin.keys(.service(workspace: "default"))
            var draft = Mortise.KeyDraft(name: "CI", scopes: ["read:orders"], allowedAddresses: ["192.0.2.0/24"])
            draft.metadata = ["team": "a", "size": 3]
            draft.expiresAt = Date(timeIntervalSinceNow: 86_400)
            let issued = try await keys.create(draft)
            #expect(issued.key.metadata == draft.metadata)
            #expect(abs((issued.key.expiresAt ?? .distantPast).timeIntervalSince(draft.expiresAt ?? .now)) < 0.001)

            let verdict = try await admin.verify(issued.token, scopes: ["read:orders"], address: "192.0.2.7")
            #expect(verdict.isValid && verdict.key?.id == issued.key.id)
            #expect(try await admin.verify(issued.token, address: "198.51.100.1").code == .wrongAddress)
            let two = [Mortise.Verification(issued.token, address: "192.0.2.7"), .init(SecretToken("junk"))]
            #expect(try await admin.verify(two).map(\.code) == [.valid, .malformed])

            var changes = Mortise.KeyChanges()
            changes.allowedAddresses = .clear
            changes.rateLimitPerMinute = .set(1000)
            let changed = try await keys.update(issued.key.id, changes)
            #expect(changed.allowedAddresses.isEmpty && changed.rateLimitPerMinute == 1000)
            var cleared = Mortise.KeyChanges()
            cleared.scopes = .clear
            cleared.metadata = .clear
            let bare = try await keys.update(issued.key.id, cleared)
            #expect(bare.scopes.isEmpty && bare.metadata.isEmpty)

            let rotated = try await keys.rotate(issued.key.id, gracePeriod: .seconds(3600))
            #expect(rotated.key.id == issued.key.id && rotated.key.secrets.count == 2)
            for token in [issued.token, rotated.token] { #expect(try await admin.verify(token).isValid) }
            let last = try await keys.rotate(issued.key.id, gracePeriod: .zero)
            #expect(last.key.secrets.count == 1)
            #expect(try await admin.verify(rotated.token, address: "192.0.2.7").code == .expired)
            #expect(try await keys.disable(issued.key.id).status == .disabled)
            #expect(try await keys.enable(issued.key.id).status == .active)
            let deprecated = try await keys.deprecate(issued.key.id, reason: "old")
            #expect(deprecated.gracePeriodEndsAt != nil && deprecated.deprecationReason == "old")
            #expect(try await keys.revoke(issued.key.id, reason: "leaked").revocationReason == "leaked")
            #expect(try await admin.verify(last.token).code == .revoked)
            #expect(try await keys.events(issued.key.id).all().map(\.type).contains("rotated"))
            try await keys.delete(issued.key.id)
            let error = try await #require(throws: MortiseError.self) { try await keys.get(issued.key.id) }
            #expect(error.reason == .notFound && error.code == "not_found")
        }
    }

    @Test func `a client key belongs to its subject, and its verdict names the subject`() async throws {
        try await withClients { admin, _ in
            let keys = admin.keys(.client(workspace: "default"))
            let ada = try await keys.create(Mortise.KeyDraft(name: "phone", subject: "user_ada"))
            _ = try await keys.create(Mortise.KeyDraft(name: "phone", subject: "user_bob"))
            #expect(ada.key.subject == "user_ada")
            #expect(try await keys.list(subject: "user_ada").all().map(\.id) == [ada.key.id])
            let verdict = try await admin.verify(ada.token)
            #expect(verdict.isValid && verdict.key?.kind == "client" && verdict.key?.subject == "user_ada")
        }
    }

    @Test func `organizations and workspaces can be created, found, suspended and archived`() async throws {
        try await withClients { admin, platform in
            let created = try await platform.organizations.create(name: "Acme", slug: "acme")
            #expect(try await platform.organizations.get("acme") == created.organization)
            let renamed = try await platform.organizations.update("acme", slug: "sons", tokenPrefix: .set("sons"))
            #expect(renamed.slug == "sons" && renamed.tokenPrefix == "sons" && renamed.name == "Acme")
            let back = try await platform.organizations.update("sons", slug: "acme", tokenPrefix: .clear)
            #expect(back.slug == "acme" && back.tokenPrefix == nil)
            #expect(try await platform.organizations.list().all().contains(back))
            #expect(try await platform.organizations.list(query: "acm").all() == [back])
            #expect(try await platform.organizations.list(query: "nobody").all().isEmpty)
            #expect(
                try await platform.organizations.events("acme").all().contains { $0.type == "organization.updated" }
            )
            let workspace = try await platform.workspaces.create(name: "Shop", organization: "acme", slug: "shop")
            #expect(workspace.state == .active && workspace.organizationID == created.organization.id)
            let acme = Mortise(url: admin.url, credential: .token(created.token), options: .patient)
            #expect(try await acme.workspaces.list(query: "sho").all().map(\.id) == [workspace.id])
            #expect(try await acme.workspaces.update("shop", name: .clear).name == nil)
            #expect(try await acme.workspaces.suspend("shop").state == .suspended)
            #expect(try await acme.workspaces.resume("shop").state == .active)
            #expect(try await acme.workspaces.events("shop").all().isEmpty == false)
            let scoped = try await acme.workspaces.update("shop", memberScopes: .set(["read:orders"]))
            #expect(scoped.memberScopes == ["read:orders"])
            #expect(try await acme.workspaces.update("shop", memberScopes: .clear).memberScopes == nil)
            #expect(try await acme.workspaces.archive("shop").archivedAt != nil)
            #expect(try await acme.workspaces.restore("shop").state == .active)
            #expect(try await acme.workspaces.retireClientKeys(of: "user_ada", in: "shop", .revoke) == 0)
            // A workspace of another organization does not exist for the credential.
            let error = try await #require(throws: MortiseError.self) { try await admin.workspaces.get(workspace.id) }
            #expect(error.reason == .notFound)
        }
    }

    @Test func `a list is read page by page to its end, newest first`() async throws {
        try await withClients { admin, _ in
            let keys = admin.keys(.service(workspace: "default"))
            for number in 0..<7 { _ = try await keys.create(Mortise.KeyDraft(name: "key \(number)")) }
            #expect(try await keys.list(limit: 3).all().map(\.name) == (0..<7).reversed().map { "key \($0)" })
            #expect(try await keys.list(query: "key 3").all().count == 1)
        }
    }

    @Test func `one idempotency key returns one token, and is refused with another body`() async throws {
        try await withClients { admin, _ in
            let keys = admin.keys(.service(workspace: "default"))
            let draft = Mortise.KeyDraft(name: "once", metadata: ["b": 1, "a": 2])
            let first = try await keys.create(draft, idempotencyKey: "k-1")
            let second = try await keys.create(draft, idempotencyKey: "k-1")
            #expect(first.token == second.token && first.key.id == second.key.id)
            let error = try await #require(throws: MortiseError.self) {
                try await keys.create(Mortise.KeyDraft(name: "twice"), idempotencyKey: "k-1")
            }
            #expect(error.reason == .invalidRequest && error.status == 422)
        }
    }

    @Test func `an error for invalid input names every fault with its place`() async throws {
        try await withClients { admin, _ in
            let draft = Mortise.KeyDraft(name: "", scopes: ["no scope at all"], rateLimitPerMinute: -1)
            let error = try await #require(throws: MortiseError.self) {
                try await admin.keys(.service(workspace: "default")).create(draft)
            }
            #expect(error.reason == .invalidRequest && error.requestID != nil)
            #expect(Set(error.faults.compactMap(\.place)).isSuperset(of: ["/name", "/rate_limit_per_minute"]))
            let anonymous = Mortise(url: admin.url, credential: nil)
            let refusal = try await #require(throws: MortiseError.self) {
                try await anonymous.workspaces.get("default")
            }
            #expect(refusal.reason == .unauthenticated)
        }
    }

    @Test func `a member can be added, sign in, manage their own keys and be removed`() async throws {
        try await withClients { admin, _ in
            let members = admin.members(of: "default")
            let password = SecretToken("correct horse battery staple")
            let ada = try await members.add(email: "ada@example.com", role: .owner, password: password)
            let bob = try await members.add(email: "bob@example.com", role: .member, password: password)
            #expect(ada.role == .owner && ada.user.hasPassword)
            #expect(try await members.list(role: .member).all().map(\.id) == [bob.id])
            #expect(try await members.change(bob.id, name: .set("Bob")).user.name == "Bob")

            let signedIn = try await admin.signIn(email: "bob@example.com", password: password)
            let me = try await signedIn.me()
            #expect(me.type == "member" && me.user?.email == "bob@example.com")
            #expect(try await admin.me().type == "admin_key")
            let forbidden = try await #require(throws: MortiseError.self) {
                try await signedIn.members(of: "default").list().all()
            }
            #expect(forbidden.reason == .forbidden)
            let keys = signedIn.keys(.client(workspace: "default"))
            let own = try await keys.create(Mortise.KeyDraft(name: "laptop", subject: bob.user.id))
            #expect(try await keys.list().all().map(\.id) == [own.key.id])

            try await signedIn.signOut()
            let ended = try await #require(throws: MortiseError.self) { try await signedIn.me() }
            #expect(ended.reason == .unauthenticated)
            try await members.remove(bob.id)
            await #expect(throws: MortiseError.self) {
                try await admin.signIn(email: "bob@example.com", password: password)
            }
        }
    }
}
