import MortiseClient

/// A key that a command names.
struct NamedKey: Sendable {
    /// The collection that has the key.
    let collection: KeyCollection
    /// The id of the key.
    let id: String
    /// The key for people: its name and id, or the id alone.
    let label: String
}

extension Names {
    /// Returns the collection of an owner, with resolved names.
    func collection(_ owner: KeyOwnerOptions) async throws -> KeyCollection {
        if let workspace = owner.workspace {
            let name = try await self.workspace(workspace)
            return owner.client ? .client(workspace: name) : .service(workspace: name)
        }
        if let organization = owner.organization {
            return .admin(organization: try await self.organization(organization))
        }
        return .operator
    }

    /// Returns the key that a command names by its id, its name, or the first characters of its token.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if several keys have the name, and `refused` if there is no such key.
    func key(_ target: KeyTarget) async throws -> NamedKey { try await key(target.key, of: target.owner) }

    /// Returns the keys that a command names, each once.
    ///
    /// - Throws: The errors of `key(_:)`.
    func keys(_ targets: KeyTargets) async throws -> [NamedKey] {
        var keys: [NamedKey] = []
        for name in targets.key {
            let key = try await key(name, of: targets.owner)
            if !keys.contains(where: { $0.id == key.id }) { keys.append(key) }
        }
        return keys
    }

    private func key(_ name: String, of owner: KeyOwnerOptions) async throws -> NamedKey {
        let collection = try await collection(owner)
        if let id = name.id {
            note(.id(id, noun: owner.noun, list: "key list \(owner.spelling)"))
            return NamedKey(collection: collection, id: id, label: id)
        }
        guard !name.isEmpty else { throw CommandFailure.usage("The name of the key is empty.") }
        let found = try await items(
            of: { $0.keys(collection).list(query: Self.query(name), limit: 100) },
            where: { $0.name == name || $0.prefix == name || Self.isPrefix(name, of: $0.prefix) }
        )
        guard let key = found.first else { throw await noKey(name, of: owner, in: collection) }
        guard found.count == 1 else {
            let candidates = found.map { "\($0.id)  \($0.status.rawValue)  \($0.prefix)  \($0.name)" }
            throw CommandFailure.ambiguous(owner.noun, name, candidates)
        }
        return NamedKey(collection: collection, id: key.id, label: "\(key.name) (\(key.id))")
    }

    /// Returns the key whose events are asked for, which can have been deleted.
    ///
    /// A deleted key is found by its name in the events of its workspace.
    ///
    /// - Throws: The errors of `key(_:)`.
    func keyWithEvents(_ target: KeyTarget) async throws -> NamedKey {
        do {
            return try await key(target)
        } catch let failure as CommandFailure where failure.kind == .refused {
            guard let deleted = try await deletedKey(target) else { throw failure }
            return deleted
        }
    }

    private func deletedKey(_ target: KeyTarget) async throws -> NamedKey? {
        guard target.key.id == nil, let workspace = target.owner.workspace else { return nil }
        let name = try await self.workspace(workspace)
        let filter = MortiseClient.EventFilter(type: "deleted")
        let events = try await items(
            of: { $0.workspaces.events(name, filter, limit: 100) },
            where: { $0.keyName == target.key }
        )
        guard let first = events.first, let id = first.keyID else { return nil }
        guard events.count == 1 else {
            let candidates = events.map { "\($0.keyID ?? "")  deleted \(DisplayText.second($0.occurredAt))" }
            throw CommandFailure.ambiguous("deleted key", target.key, candidates)
        }
        return NamedKey(collection: try await collection(target.owner), id: id, label: "\(target.key) (\(id))")
    }

    /// Returns the names of a workspace's keys, by their ids.
    ///
    /// Keys of one name are told apart by the first characters of their tokens. A key that is not among the newest of its kind, or that the
    /// credential cannot read, has no name.
    func keyNames(_ ids: Set<String>, in workspace: String) async -> [String: String] {
        var keys: [Mortise.Key] = []
        for collection in [KeyCollection.service(workspace: workspace), .client(workspace: workspace)] {
            let found = try? await items(of: { $0.keys(collection).list(limit: 100) }, where: { ids.contains($0.id) })
            keys += found ?? []
        }
        let counts = Dictionary(grouping: keys, by: \.name).mapValues(\.count)
        return Dictionary(keys.map { ($0.id, counts[$0.name] == 1 ? $0.name : $0.prefix) }) { first, _ in first }
    }

    /// The characters of a token that the server knows.
    private static let prefixLength = 16

    /// Returns the query that finds the keys of a name, which can be the beginning of a token.
    private static func query(_ name: String) -> String {
        String(name.prefix(isBeginning(name) ? prefixLength : 255))
    }

    private static func isBeginning(_ text: String) -> Bool { ["_live_", "_test_"].contains(where: text.contains) }

    /// Returns true if the text is the beginning of a token, and the key's prefix begins with it, or it with the prefix.
    static func isPrefix(_ text: String, of prefix: String) -> Bool {
        isBeginning(text) && (prefix.hasPrefix(text) || prefix.count == prefixLength && text.hasPrefix(prefix))
    }

    private func noKey(
        _ name: String,
        of owner: KeyOwnerOptions,
        in collection: KeyCollection
    ) async -> CommandFailure {
        let known: [Mortise.Key]
        do throws(CommandFailure) {
            known = try await read { client throws(MortiseError) in
                try await client.keys(collection).list(limit: 100).firstPage().items
            }
        } catch {
            return await explaining(error)
        }
        return .missing(
            owner.noun,
            name,
            near: known.map { ($0.name, $0.prefix) },
            list: "key list \(owner.spelling)"
        )
    }
}
