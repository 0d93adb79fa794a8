import MortiseClient

extension Names {
    /// Looks up the names of the actors and of the objects of events, for ``actor(_:)`` and ``object(of:)``.
    func learn(_ events: [Mortise.Event]) async {
        await learnActors(of: events)
        // The event of a creation has the slug.
        let unnamed = events.filter { $0.isOfWorkspace && $0.text("slug") == nil }
        for (organization, group) in Dictionary(grouping: unnamed, by: \.organizationID) {
            let asked = missing(group.compactMap(\.workspaceID), .workspace)
            await learnWorkspaces(asked.sorted(), in: organization)
            await learnDeletedWorkspaces(asked.filter { workspaceSlug($0) == $0 }, from: events, in: organization)
        }
    }

    /// Learns the slugs of workspaces that no list has any more, from these events or from those of the creations.
    private func learnDeletedWorkspaces(
        _ ids: Set<String>,
        from events: [Mortise.Event],
        in organization: String?
    ) async {
        guard !ids.isEmpty else { return }
        var slugs = Self.slugs(in: events).filter { ids.contains($0.key) }
        if let organization, slugs.count < ids.count {
            let creations = try? await items(
                of: { $0.organizations.events(organization, EventFilter(type: "workspace.created"), limit: 100) },
                where: { event in event.workspaceID.map { ids.contains($0) } ?? false }
            )
            slugs.merge(Self.slugs(in: creations ?? [])) { known, _ in known }
        }
        learn(slugs, of: ids, .workspace)
    }

    /// Returns the slugs that events of workspaces name, by the ids of the workspaces.
    ///
    /// The newest event comes first and counts.
    private static func slugs(in events: [Mortise.Event]) -> [String: String] {
        let named = events.compactMap { event -> (String, String)? in
            guard event.isOfWorkspace, let id = event.workspaceID, let slug = event.text("slug") else { return nil }
            return (id, slug)
        }
        return Dictionary(named) { first, _ in first }
    }

    /// Returns the name of what an event is about: a key, a workspace, a member, a session issuer or a webhook.
    ///
    /// - Returns: The name, or the id of an object whose name is not known. `nil` for events of the organization and of sessions.
    func object(of event: Mortise.Event) -> String? {
        if let key = event.keyName ?? event.keyID { return key }
        if event.isOfWorkspace, let id = event.workspaceID { return event.text("slug") ?? workspaceSlug(id) }
        for name in ["email", "issuer", "url"] {
            if let text = event.text(name) { return text }
        }
        guard let member = event.member else { return event.text("webhook") }
        let name = actor(member)
        return name == member ? event.text("user") : name
    }
}

extension Mortise.Event {
    /// The user whose membership or sign-in the event is about, in the form of an actor.
    var member: String? { text("user").map { "member:\($0)" } }

    /// True for an event of a workspace, and false for one of its keys.
    fileprivate var isOfWorkspace: Bool { type.hasPrefix("workspace.") }

    /// Returns a changed setting that is a text: the new value.
    fileprivate func text(_ name: String) -> String? {
        switch changes[name] {
        case .string(let text): return text
        case .object(let change):
            guard case .string(let text) = change["to"] else { return nil }
            return text
        default: return nil
        }
    }
}
