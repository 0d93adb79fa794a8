import MortiseClient

extension Names {
    /// Looks up the names of the actors and of the objects of events, for ``actor(_:)`` and ``object(of:)``.
    func learn(_ events: [Mortise.Event]) async {
        await learnActors(of: events)
        // The event of a creation has the slug.
        let unnamed = events.filter { $0.isOfWorkspace && $0.text("slug") == nil }
        for (organization, events) in Dictionary(grouping: unnamed, by: \.organizationID) {
            await learnWorkspaces(events.compactMap(\.workspaceID), in: organization)
        }
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
