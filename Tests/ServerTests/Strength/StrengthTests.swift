import JSON
import Postgres
import ServerTestSupport
import TestSupport
import Testing

/// Nothing makes something stronger than itself.
///
/// The requests are generated from the tables of endpoints of all dialects, so that a new operation cannot be forgotten.
@Suite(.hangLimit(.seconds(1200))) struct StrengthTests {
    // The attack: whoever holds a credential with few rights looks for the one call that gives more.
    @Test(arguments: RestrictedCredential.allCases)
    func `no operation makes anything stronger than its caller`(_ credential: RestrictedCredential) async throws {
        try await withMortise { mortise in
            let world = try await StrengthWorld(mortise)
            let (token, keyID) = try await credential.make(mortise, world)
            let database = try await mortise.workspaceDatabase()
            try await mortise.withConnection(mortise.installation.control) { control in
                try await mortise.withConnection(database) { workspace in
                    try await StrengthReset.save(control, workspace)
                    var before = try await StrengthSnapshot(control, workspace)
                    let bound = keyID.flatMap { before.keys[$0] }
                    let requests = StrengthRequests(world: world, credential: credential, keyID: keyID)
                        .all(mortise.server.endpoints)
                    try #require(requests.count > 200)
                    var successes = 0
                    for request in requests {
                        let answer = try await mortise.api.send(
                            request.method,
                            request.path,
                            request.body,
                            as: token,
                            headers: [("x-api-key", token)]
                        )
                        let label = "\(request.name) \(request.path) \(request.body?.text ?? ""): \(answer)"
                        #expect(answer.status < 500, "\(label)")
                        guard answer.status < 300 else { continue }
                        successes += 1
                        let after = try await StrengthSnapshot(control, workspace)
                        Self.check(before, after, credential, bound, world, label)
                        try await StrengthReset.restore(control, workspace)
                        before.workspaces = after.workspaces
                    }
                    // A credential that can do nothing at all would pass.
                    #expect(successes > 0, "\(credential)")
                }
            }
        }
    }

    private static func check(
        _ before: StrengthSnapshot,
        _ after: StrengthSnapshot,
        _ credential: RestrictedCredential,
        _ bound: KeyStrength?,
        _ world: StrengthWorld,
        _ label: String
    ) {
        for (id, key) in after.keys {
            let old = before.keys[id]
            if key == old { continue }
            if credential.isRetired {
                #expect(old.map { key.isStopped(from: $0) } ?? false, "\(label): \(key)")
                continue
            }
            if let old, key.isNoMore(than: old) { continue }
            if credential.isSubject, let old, world.held.contains(id) {
                let excess = key.excess(over: old)
                #expect(excess.isEmpty && !(key.isEnabled && !old.isEnabled), "\(label): \(excess) of \(key)")
            }
            if [.member, .session].contains(credential) {
                #expect(!key.scopes.contains { $0.contains("*") }, "\(label): \(key)")
                if credential == .session { #expect(key.scopes.isSubset(of: old?.scopes ?? []), "\(label): \(key)") }
            }
            guard let bound else { continue }
            if credential.ownKinds.contains(key.kind) {
                let excess = key.excess(over: bound)
                #expect(excess.isEmpty, "\(label): \(excess) of \(key)")
            } else {
                #expect(bound.mode == "live" || key.mode == "test", "\(label): \(key)")
            }
        }
        // A webhook has none of the restrictions, outlives its maker, and tells of live keys.
        for (id, webhook) in after.webhooks {
            #expect(before.webhooks[id].map { webhook.isNoMore(than: $0) } ?? false, "\(label): \(webhook)")
        }
        if credential.isTest {
            let lost = before.keys.values.filter { $0.mode == "live" && after.keys[$0.id] == nil }
            #expect(lost.isEmpty, "\(label): \(lost)")
            #expect(after.workspaces.isSuperset(of: before.workspaces), "\(label)")
        }
        if credential.isRetired {
            #expect(Set(after.keys.keys) == Set(before.keys.keys), "\(label)")
            #expect(after.members == before.members, "\(label)")
            #expect(after.issuers == before.issuers, "\(label)")
            #expect(after.workspaces == before.workspaces, "\(label)")
        }
        checkMembers(before, after, credential, label)
    }

    /// A role has no end, no addresses, no limits and no mode, so a key that has one of these cannot hand it on.
    private static func checkMembers(
        _ before: StrengthSnapshot,
        _ after: StrengthSnapshot,
        _ credential: RestrictedCredential,
        _ label: String
    ) {
        for (id, member) in after.members where before.members[id] != member {
            let role = member[0]
            switch credential {
            case .endingAdmin, .boundAdmin, .limitedAdmin: #expect(role == "member", "\(label): \(member)")
            case .weakAdmin: #expect(role == "member", "\(label): \(member)")
            case .endingOperator, .boundOperator, .limitedOperator: break
            default: Issue.record("\(label): \(member)")
            }
        }
        // Members create live keys, so only a credential that can create live keys itself raises their ceiling.
        let mayTrust: Set<RestrictedCredential> = [.endingOperator, .boundOperator, .limitedOperator]
        if ![.endingAdmin, .boundAdmin, .limitedAdmin].contains(credential), !mayTrust.contains(credential) {
            for (id, ceiling) in before.ceilings { #expect(after.ceilings[id] == ceiling, "\(label)") }
        }
        guard after.issuers != before.issuers else { return }
        let isFewer = after.issuers.isSubset(of: before.issuers)
        #expect(mayTrust.contains(credential) || isFewer, "\(label)")
    }
}
