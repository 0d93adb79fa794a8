import FoundationEssentials
import JSON
import Locks
import MortiseClient
import ServerTestSupport
import TestSupport
import Testing

/// The managers of the three dialects against the real server.
@Suite(.hangLimit) struct DialectTests {
    @Test func `users of Fluxbase manage their own keys under both names`() async throws {
        try await withClients { admin, _ in
            let password = SecretToken("correct horse battery staple")
            for (email, role) in [("ada@example.com", Mortise.Member.Role.owner), ("bob@example.com", .member)] {
                _ = try await admin.members(of: "default").add(email: email, role: role, password: password)
            }
            let bob = try await admin.signIn(email: "bob@example.com", password: password)
            let created = try await bob.management.apiKeys.create(
                name: "Reports",
                description: "nightly",
                scopes: ["read:tables"],
                rateLimitPerMinute: 100,
                expiresAt: Date(timeIntervalSinceNow: 86_400)
            )
            #expect(created.apiKey.description == "nightly" && created.clientKey.rateLimitPerMinute == 100)
            #expect(try await admin.verify(created.key, scopes: ["read:tables"]).isValid)
            let id = created.clientKey.id
            #expect(try await bob.management.clientKeys.list().clientKeys.map(\.id) == [id])
            #expect(try await bob.management.clientKeys.get(id).userID == created.clientKey.userID)
            let updated = try await bob.management.apiKeys.update(id, name: "Reports 2", rateLimitPerMinute: 200)
            #expect(updated.name == "Reports 2" && updated.rateLimitPerMinute == 200)
            try await bob.management.clientKeys.revoke(id)
            #expect(try await admin.verify(created.key).code == .revoked)
            try await bob.management.apiKeys.delete(id)
            let error = try await #require(throws: MortiseError.self) { try await bob.management.clientKeys.get(id) }
            #expect(error.reason == .notFound && error.code == "NOT_FOUND")
        }
    }

    @Test func `all eleven calls for Fluxbase's service keys work`() async throws {
        try await withClients { admin, _ in
            let manager = admin.admin.serviceKeys
            let created = try await manager.create(name: "Production", scopes: ["*"], rateLimitPerMinute: 1000)
            let id = created.serviceKey.id
            #expect(created.serviceKey.keyType == .service && created.serviceKey.isEnabled)
            #expect(try await manager.list().map(\.id) == [id])
            #expect(try await manager.update(id, description: "d", isEnabled: true).description == "d")
            try await manager.disable(id)
            #expect(try await manager.get(id).isEnabled == false)
            #expect(try await admin.verify(created.key).code == .disabled)
            try await manager.enable(id)
            #expect(try await admin.verify(created.key).isValid)

            let rotated = try await manager.rotate(id, gracePeriodHours: 2)
            #expect(rotated.serviceKey.id != id && rotated.serviceKey.deprecatedAt != nil)
            for token in [created.key, rotated.key] { #expect(try await admin.verify(token).isValid) }
            let second = try await manager.rotate(rotated.serviceKey.id)
            let end = try await manager.deprecate(second.serviceKey.id, reason: "old", gracePeriodHours: 48)
            #expect(end.gracePeriodEndsAt.timeIntervalSince(end.deprecatedAt) == 172_800)

            #expect(try await manager.getRevocationHistory(id).revokedAt == nil)
            try await manager.revoke(id, reason: "Key was compromised")
            #expect(try await admin.verify(created.key).code == .revoked)
            try await manager.delete(id)
            let history = try await manager.getRevocationHistory(id)
            #expect(history.revokedAt != nil && history.revocationReason == "Key was compromised")
            let error = try await #require(throws: MortiseError.self) { try await manager.get(id) }
            #expect(error.reason == .notFound)
        }
    }

    @Test func `each workspace has its own service keys`() async throws {
        try await withClients { admin, platform in
            let workspace = try await platform.workspaces.create(name: "Shop", organization: "default", slug: "shop")
            for shop in [admin.forWorkspace("shop"), admin.forWorkspace(workspace.id)] {
                let created = try await shop.admin.serviceKeys.create(name: "for \(shop.url.text.count)\(UUID())")
                #expect(try await shop.admin.serviceKeys.list().contains(created.serviceKey))
                #expect(try await admin.verify(created.key).key?.workspaceID == workspace.id)
                let key = try await shop.apiKeys.create(name: "key \(UUID())", subject: Self.user)
                #expect(try await shop.apiKeys.getAll(subject: Self.user).data.map(\.id).contains(key.id))
            }
            #expect(try await admin.admin.serviceKeys.list().isEmpty)
            #expect(try await admin.apiKeys.getAll(subject: Self.user).data.isEmpty)
        }
    }

    private static let user = "user_2abcdefghijklmnopqrstuvwxyz"

    @Test func `Clerk's keys can be created, paged, searched and revoked`() async throws {
        try await withClients { admin, _ in
            let created = try await admin.apiKeys.create(
                name: "My API key",
                subject: Self.user,
                secondsUntilExpiration: 86_400.5,
                description: "for a service"
            )
            let secret = try #require(created.secret)
            #expect(secret.reveal().hasPrefix("ak_") && created.subject == Self.user && !created.isExpired)
            #expect((created.expiration ?? .distantPast).timeIntervalSince(created.createdAt) > 86_399)
            #expect(try await admin.verify(secret).key?.subject == Self.user)
            for number in 1...4 { _ = try await admin.apiKeys.create(name: "other \(number)", subject: Self.user) }

            let page = try await admin.apiKeys.getAll(subject: Self.user, initialPage: 2, pageSize: 2)
            #expect(page.totalCount == 5 && page.data.map(\.name) == ["other 2", "other 1"])
            #expect(page.data.allSatisfy { $0.secret == nil })
            #expect(try await admin.apiKeys.getAll(subject: Self.user, query: "api").data.map(\.id) == [created.id])

            let revoked = try await admin.apiKeys.revoke(apiKeyID: created.id, revocationReason: "No longer needed")
            #expect(revoked.isRevoked && revoked.revocationReason == "No longer needed")
            #expect(try await admin.verify(secret).code == .revoked)
            #expect(try await admin.apiKeys.getAll(subject: Self.user).totalCount == 4)
            let taken = try await #require(throws: MortiseError.self) {
                try await admin.apiKeys.create(name: "other 1", subject: Self.user)
            }
            #expect(taken.reason == .conflict && taken.code == "token_creation_conflict")
        }
    }

    @Test func `a user of the application manages their own keys with a session`() async throws {
        try await withClients { admin, platform in
            let signer = try SessionSigner()
            let set = try #require(try signer.keySet()["keys"]?.array?.first?.object)
            let key = Dictionary(
                uniqueKeysWithValues: set.members.map { ($0.name, JSONContent.string($0.value.string ?? "")) }
            )
            let issuers = platform.sessionIssuers(of: "default")
            _ = try await issuers.add(
                issuer: SessionSigner.issuer,
                keys: .inline(["keys": .array([.object(key)])]),
                authorizedParties: ["https://app.example"]
            )
            // Each call asks for the current session token.
            let sessions = Locked(0)
            let user = Mortise(
                url: admin.url,
                credential: .provided {
                    sessions.withLock { $0 += 1 }
                    return SecretToken(try signer.session())
                },
                options: .patient
            )
            let created = try await user.apiKeys.create(name: "mine")
            #expect(created.subject == SessionSigner.user)
            let secret = try #require(created.secret)
            #expect(try await admin.verify(secret).key?.subject == SessionSigner.user)
            let other = "user_" + String(repeating: "z", count: 27)
            _ = try await admin.apiKeys.create(name: "foreign", subject: other)
            #expect(try await user.apiKeys.getAll().data.map(\.id) == [created.id])
            #expect(try await user.apiKeys.revoke(apiKeyID: created.id).isRevoked)
            #expect(try await admin.verify(secret).code == .revoked)
            let foreign = try await #require(throws: MortiseError.self) {
                try await user.apiKeys.getAll(subject: other)
            }
            #expect(foreign.reason == .forbidden || foreign.reason == .notFound)
            #expect(sessions.withLock { $0 } == 4)
        }
    }

    @Test func `Boltz's list covers all workspaces, forwards and backwards`() async throws {
        try await withClients { admin, platform in
            let workspace = try await platform.workspaces.create(name: "Shop", organization: "default", slug: "shop")
            let manager = admin.admin.apiKeys
            var names: [String] = []
            for number in 0..<6 {
                if number.isMultiple(of: 2) {
                    _ = try await manager.create(name: "x \(number)", allowedIPs: ["192.0.2.0/24"], expiresInDays: 30)
                } else {
                    _ = try await admin.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "x \(number)"))
                }
                names.insert("x \(number)", at: 0)
            }
            let all = try await manager.list(limit: 2).all()
            let workspaceKeys = all.filter { $0.keyType == .workspace }
            #expect(workspaceKeys.map(\.name) == names)
            #expect(Set(workspaceKeys.compactMap(\.workspaceID)).count == 2)
            #expect(all.contains { $0.keyType == .admin && $0.workspaceID == nil })
            let rest = try await manager.list(afterID: all[1].id, limit: 2).all()
            #expect(rest.map(\.id) == all.dropFirst(2).map(\.id))
            let before = try await manager.list(beforeID: all[4].id, limit: 2).all()
            #expect(before.map(\.id) == [all[2], all[3], all[0], all[1]].map(\.id))
            #expect(workspace.slug == "shop")
        }
    }

    @Test func `one idempotency key creates one key in Boltz's dialect, which can be revoked`() async throws {
        try await withClients { admin, _ in
            let manager = admin.admin.apiKeys
            let first = try await manager.create(name: "x", mode: .test, idempotencyKey: "k-1")
            let second = try await manager.create(name: "x", mode: .test, idempotencyKey: "k-1")
            #expect(first == second && !first.keyDetails.isLive && first.keyDetails.isActive)
            #expect(try await admin.verify(first.key, mode: .test).isValid)
            #expect(try await manager.revoke(first.keyDetails.id).isActive == false)
            #expect(try await admin.verify(first.key).code == .revoked)
            let error = try await #require(throws: MortiseError.self) { try await manager.create(name: "") }
            #expect(error.reason == .invalidRequest && error.faults.isEmpty == false)
            let missing = try await #require(throws: MortiseError.self) { try await manager.revoke("api_key_none") }
            #expect(missing.reason == .notFound)
        }
    }
}
