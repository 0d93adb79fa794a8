import MortiseClient

extension Names {
    /// Looks up the names of actors, for ``actor(_:)``.
    ///
    /// An actor whose name the credential cannot read keeps its id.
    ///
    /// - Parameters:
    ///   - actors: The actors, such as `admin-key:<id>`.
    ///   - organization: The id or slug of the organization of the keys and members. `nil` if it is not known.
    ///   - workspace: The id or slug of the workspace of the keys. `nil` if it is not known.
    func learnActors(_ actors: [String], organization: String?, workspace: String?) async {
        let asked = missing(actors.filter { $0.contains(":") }, .actor)
        guard !asked.isEmpty else { return }
        var names: [String: String] = [:]
        for actor in asked.sorted() {
            let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let id = parts[1].id,
                let collection = Self.collection(parts[0], organization: organization, workspace: workspace),
                let key = try? await read({ client throws(MortiseError) in try await client.keys(collection).get(id) })
            else { continue }
            names[actor] = "\(key.name) (\(parts[0].replacing("-", with: " ")))"
        }
        if let organization, asked.contains(where: { $0.hasPrefix("member:") }) {
            let members = try? await items(of: { $0.members(of: organization).list(limit: 100) })
            for member in members ?? [] where asked.contains("member:\(member.user.id)") {
                names["member:\(member.user.id)"] = member.user.email
            }
        }
        learn(names, of: asked, .actor)
    }

    private static func collection(_ kind: String, organization: String?, workspace: String?) -> KeyCollection? {
        switch kind {
        case "admin-key": organization.map { .admin(organization: $0) }
        case "operator-key": .operator
        case "service-key": workspace.map { .service(workspace: $0) }
        case "client-key": workspace.map { .client(workspace: $0) }
        default: nil
        }
    }

    /// Looks up the names of the actors of events, and of the members that events are about.
    func learnActors(of events: [Mortise.Event]) async {
        // The events of a list have one organization or one workspace, with few exceptions.
        let groups = Dictionary(grouping: events) { [$0.organizationID, $0.workspaceID] }
        for (place, events) in groups {
            let organization = await owner(place[0], workspace: place[1])
            let people = events.map(\.actor) + events.compactMap(\.member)
            await learnActors(people, organization: organization, workspace: place[1])
        }
    }

    /// Returns the id of the organization of an event.
    ///
    /// An older server does not name it in an event of a workspace's key.
    private func owner(_ organization: String?, workspace: String?) async -> String? {
        if let organization { return organization }
        guard isOperator else { return try? await self.organization(nil) }
        guard let workspace else { return nil }
        return try? await read { client throws(MortiseError) in
            try await client.workspaces.get(workspace).organizationID
        }
    }

    // MARK: A filter by actor

    /// Throws if a list of events is empty because nobody has the name by which it was filtered.
    ///
    /// The server looks the name up and does not tell an unknown one from an actor without events. Nothing is thrown if this credential
    /// cannot tell either.
    ///
    /// - Parameters:
    ///   - name: The name of the filter.
    ///   - organization: The organization of the members and keys. `nil` for operator keys.
    ///   - workspace: The workspace of the keys. `nil` if the events are not those of a workspace.
    /// - Throws: `CommandFailure` of kind `refused`, with near names.
    func requireActor(_ name: String, organization: String?, workspace: String?) async throws(CommandFailure) {
        guard organization != nil || isOperator else { return }
        var known: [(name: String, other: String)] = []
        do throws(CommandFailure) {
            if let organization {
                let found = try await items(
                    of: { $0.members(of: organization).list(query: name, limit: 100) },
                    where: { $0.user.email.lowercased() == name.lowercased() }
                )
                guard found.isEmpty else { return }
                let members = try await read { client throws(MortiseError) in
                    try await client.members(of: organization).list(limit: 100).firstPage().items
                }
                known += members.map { (name: $0.user.email, other: $0.user.name ?? "") }
            }
            for collection in collections(organization: organization, workspace: workspace) {
                let found = try await items(
                    of: { $0.keys(collection).list(query: name, limit: 100) },
                    where: { $0.name.lowercased() == name.lowercased() || Self.isPrefix(name, of: $0.prefix) }
                )
                guard found.isEmpty else { return }
                let keys = try await read { client throws(MortiseError) in
                    try await client.keys(collection).list(limit: 100).firstPage().items
                }
                known += keys.map { (name: $0.name, other: $0.prefix) }
            }
        } catch {
            return
        }
        let place = organization.map { " --organization \($0)" } ?? " --operator"
        throw .missing(
            organization == nil ? "operator key" : "member or key",
            name,
            near: known,
            lists: (organization == nil ? [] : ["member list\(place)"])
                + ["key list\(workspace.map { " --workspace \($0)" } ?? place)"]
        )
    }

    /// Returns the collections whose keys can be the actors of events.
    ///
    /// Only an operator finds operator keys.
    private func collections(organization: String?, workspace: String?) -> [KeyCollection] {
        var found: [KeyCollection] = []
        if let organization { found.append(.admin(organization: organization)) }
        if let workspace { found += [.service(workspace: workspace), .client(workspace: workspace)] }
        if isOperator { found.append(.operator) }
        return found
    }
}
