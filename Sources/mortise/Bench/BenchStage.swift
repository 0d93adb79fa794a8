import Locks
import MortiseClient

/// The organization of a load test, with its workspaces and keys.
struct BenchStage: Sendable {
    let organizationID: String
    let adminToken: SecretToken
    let tokens: [BenchToken]

    /// The size of a stage.
    struct Size: Sendable {
        let workspaces: Int
        let keys: Int
        let mix: BenchMix
    }

    /// The organization that exists, from its creation to its removal.
    final class Organization: Sendable {
        private let id = Locked<String?>(nil)
        /// The slug, which is also the name.
        let slug: String

        /// Creates the name of an organization, which does not exist yet.
        init() {
            let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
            slug = "bench-" + String((0..<10).map { _ in letters.randomElement() ?? "a" })
        }

        fileprivate func set(_ new: String) { id.withLock { $0 = new } }

        /// The id, if the organization was created.
        var created: String? { id.withLock(\.self) }
    }

    /// The number of keys that are created at a time.
    private static let parallel = 8

    /// Creates an organization with workspaces and keys.
    ///
    /// - Parameters:
    ///   - size: The number of workspaces and keys.
    ///   - organization: Notes the organization as soon as it exists, so that it can be removed.
    ///   - client: A client with an operator key.
    /// - Returns: The stage.
    /// - Throws: The first error of a call.
    static func make(
        _ size: Size,
        _ organization: Organization,
        _ client: Mortise
    ) async throws(MortiseError) -> BenchStage {
        let made = try await client.organizations.create(name: organization.slug, slug: organization.slug)
        organization.set(made.organization.id)
        let admin = client.with(.token(made.token))
        var workspaces = [made.defaultWorkspace.id]
        for number in 1..<max(size.workspaces, 1) {
            let workspace = try await admin.workspaces.create(
                name: "Bench \(number)",
                organization: made.organization.id,
                slug: "bench-\(number)"
            )
            workspaces.append(workspace.id)
        }
        var tokens: [BenchToken] = []
        for (kind, number) in size.mix.numbers(of: size.keys) {
            tokens += try await makeTokens(kind, number, in: workspaces, admin)
        }
        return BenchStage(organizationID: made.organization.id, adminToken: made.token, tokens: tokens)
    }

    private static func makeTokens(
        _ kind: BenchMix.Kind,
        _ number: Int,
        in workspaces: [String],
        _ admin: Mortise
    ) async throws(MortiseError) -> [BenchToken] {
        guard kind != .garbage else { return (0..<number).map { _ in BenchToken(kind: kind, text: garbage()) } }
        let results = await withTaskGroup(of: Result<BenchToken, MortiseError>.self) { group in
            var results: [Result<BenchToken, MortiseError>] = []
            for index in 0..<number {
                if index >= parallel, let result = await group.next() {
                    results.append(result)
                    if case .failure = result { break }
                }
                group.addTask {
                    let keys = admin.keys(.service(workspace: workspaces[index % workspaces.count]))
                    do throws(MortiseError) {
                        return .success(try await makeToken(kind, index, keys))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            for await result in group { results.append(result) }
            return results
        }
        var tokens: [BenchToken] = []
        for result in results { tokens.append(try result.get()) }
        return tokens
    }

    private static func makeToken(
        _ kind: BenchMix.Kind,
        _ index: Int,
        _ keys: Mortise.Keys
    ) async throws(MortiseError) -> BenchToken {
        let issued = try await keys.create(Mortise.KeyDraft(name: "\(kind.rawValue) \(index)"))
        switch kind {
        case .valid, .garbage: break
        case .revoked: _ = try await keys.revoke(issued.key.id)
        case .expired: _ = try await keys.deprecate(issued.key.id, gracePeriod: .zero)
        case .disabled: _ = try await keys.disable(issued.key.id)
        }
        return BenchToken(kind: kind, text: issued.token)
    }

    /// Returns a text with the form of a token and a wrong checksum.
    private static func garbage() -> SecretToken {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return SecretToken("mks_live_" + String((0..<46).map { _ in letters.randomElement() ?? "a" }))
    }

    /// Removes an organization with its workspaces and keys, if it exists.
    ///
    /// - Parameters:
    ///   - name: The organization's id or slug.
    ///   - client: A client with an operator key.
    /// - Throws: The first error of a call.
    static func remove(_ name: String, _ client: Mortise) async throws(MortiseError) {
        let id: String
        do throws(MortiseError) {
            id = try await client.organizations.get(name).id
        } catch {
            guard error.reason == .notFound else { throw error }
            return
        }
        for workspace in try await client.workspaces.list(organization: id, limit: 100).all() {
            if workspace.isDefault {
                if workspace.state == .active { _ = try await client.workspaces.suspend(workspace.id) }
            } else {
                if workspace.state != .archived { _ = try await client.workspaces.archive(workspace.id) }
                try await client.workspaces.delete(workspace.id)
            }
        }
        try await client.organizations.delete(id)
    }
}
