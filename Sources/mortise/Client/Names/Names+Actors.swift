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

    /// Looks up the names of the actors of events.
    func learnActors(of events: [Mortise.Event]) async {
        // The events of a list have one organization or one workspace, with few exceptions.
        let groups = Dictionary(grouping: events) { [$0.organizationID, $0.workspaceID] }
        for (place, events) in groups {
            let organization = await owner(place[0], workspace: place[1])
            await learnActors(events.map(\.actor), organization: organization, workspace: place[1])
        }
    }

    /// Returns the id of the organization of an event.
    ///
    /// An event of a workspace's key does not have it.
    private func owner(_ organization: String?, workspace: String?) async -> String? {
        if let organization { return organization }
        guard isOperator else { return try? await self.organization(nil) }
        guard let workspace else { return nil }
        return try? await read { client throws(MortiseError) in
            try await client.workspaces.get(workspace).organizationID
        }
    }

    /// Returns the actor that a filter names: as events have it, or by the e-mail address of a member.
    ///
    /// - Parameters:
    ///   - name: The text of the filter.
    ///   - organization: Returns the path component of the organization.
    /// - Returns: The actor. `nil` if there is no filter.
    /// - Throws: `CommandFailure` if there is no such member.
    func actorFilter(_ name: String?, organization: @Sendable () async throws -> String) async throws -> String? {
        guard let name, name.contains("@"), !name.contains(":") else { return name }
        let place = try await organization()
        let found = try await items(
            of: { $0.members(of: place).list(query: name, limit: 100) },
            where: { $0.user.email.lowercased() == name.lowercased() }
        )
        guard let user = found.first?.user else {
            throw CommandFailure.missing("member", name, near: [], list: "member list")
        }
        return "member:\(user.id)"
    }
}
