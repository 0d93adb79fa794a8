import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
public import Tenancy

/// What can be done with workspaces.
public struct WorkspaceService: Sendable {
    let platform: Platform

    init(_ platform: Platform) { self.platform = platform }

    /// Makes a workspace with its own database, migrated and active when this returns.
    public func create(
        _ new: NewWorkspace,
        by caller: Caller,
        answer: @Sendable (Workspace) -> String
    ) async throws -> StoredAnswer {
        try caller.principal.requireReach(into: new.organizationID)
        try caller.principal.requireWide(.workspacesWrite)
        let made = try await platform.controlTransaction { connection in
            let store = platform.controlStore(connection)
            return try await platform.once(caller, connection) { principal in
                try principal.requireWide(.workspacesWrite)
            } isThere: { id in
                try await store.workspace(id) != nil
            } make: {
                guard try await store.organization(new.organizationID) != nil else { throw Refusal.notFound }
                let workspace = try await store.createWorkspace(new, by: caller.attribution)
                return (workspace.id, answer(workspace.activated))
            }
        }
        let id = made.resourceID
        do {
            try await platform.settle(id)
        } catch {
            // A twin may come again for the same workspace; whoever has no key for that would make a second one.
            if made.isReplay || caller.idempotency != nil { throw error }
            platform.logger.warning(
                "a workspace was recorded and could not be finished",
                metadata: ["workspace_id": "\(UUIDv7.text(of: id))", "error": "\(error)"]
            )
            throw Refusal.unfinished
        }
        return made
    }

    /// A workspace that the caller reaches, by id or slug.
    public func get(_ name: String, by caller: Caller) async throws -> Workspace {
        try await platform.access.workspace(name, for: caller.principal)
    }

    /// One page of workspaces, newest first: of the caller's organization, or for an operator of all.
    public func list(_ page: PageRequest, _ filter: WorkspaceFilter, by caller: Caller) async throws -> Page<Workspace>
    {
        var filter = filter
        if let own = caller.principal.organizationID {
            if let asked = filter.organizationID, asked != own { throw Refusal.notFound }
            filter.organizationID = own
            if case .workspaces(let reached, _) = caller.principal.reach { filter.ids = Array(reached) }
        } else {
            try caller.principal.requirePlatform(.platform)
        }
        return try await platform.databases.control.pool.withConnection { [filter] connection in
            try await platform.controlStore(connection).workspaces(page, filter)
        }
    }

    /// Changes name, slug or retention.
    ///
    /// A change of nothing is none, and leaves no event.
    public func update(_ name: String, _ change: WorkspaceChange, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        if change.isEmpty { return workspace }
        return try await platform.controlTransaction { connection in
            try await platform.controlStore(connection)
                .updateWorkspace(workspace.id, change, by: caller.attribution)
        }
    }

    /// Refuses every key of a workspace until it is resumed.
    public func suspend(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        return try await platform.provisioner.suspend(workspace.id, by: caller.attribution)
    }

    /// Accepts the keys of a suspended workspace again.
    public func resume(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        return try await platform.provisioner.resume(workspace.id, by: caller.attribution)
    }

    /// Puts a workspace away: it stays readable and refuses its keys.
    public func archive(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        return try await platform.provisioner.archive(workspace.id, by: caller.attribution)
    }

    /// Removes a workspace with its database.
    ///
    /// Only an archived one, so that no slip of the hand destroys keys in use, or one whose making did not come to its end. Where a
    /// removal did not come to its end, asking again goes on with it.
    public func delete(_ name: String, by caller: Caller) async throws {
        let workspace = try await writable(name, caller, orLeaving: true)
        guard !workspace.isDefault else { throw Refusal.conflict("The default workspace cannot be deleted.") }
        guard Self.removable.contains(workspace.state) else {
            throw Refusal.conflict("Only an archived workspace can be deleted; archive it first.")
        }
        // Before, so that few sessions have to be ended, and after, for what was opened meanwhile.
        await platform.databases.forget(workspace.id)
        try await platform.provisioner.delete(workspace.id, in: Self.removable, by: caller.attribution)
        await platform.databases.forget(workspace.id)
    }

    private static let removable: Set<WorkspaceState> = [.archived, .creating, .deleting]

    private func writable(_ name: String, _ caller: Caller, orLeaving isLeaving: Bool = false) async throws -> Workspace
    {
        let workspace = try await platform.access.workspace(name, for: caller.principal, orLeaving: isLeaving)
        try caller.principal.require(.workspacesWrite, in: workspace.id)
        return workspace
    }
}

extension Platform {
    /// Finishes the making of a workspace.
    ///
    /// Whoever asks for the same again gets the same answer, though the workspace may have been suspended or archived since.
    func settle(_ workspace: UUID) async throws {
        switch try await provisioner.settle(workspace)?.state {
        case .active, .suspended, .archived: return
        case .creating, .deleting: throw Refusal.unavailable
        case nil: throw Refusal.conflict("What this Idempotency-Key made has been deleted since.")
        }
    }

    /// Inserts a key with a given token, and its event.
    func plant(
        _ draft: KeyDraft,
        _ token: Token,
        id: UUID,
        in home: KeyHome,
        by caller: Caller,
        at now: Timestamp,
        _ connection: PostgresConnection
    ) async throws -> KeyRecord {
        let store = KeyStore(connection)
        let key = KeyRecord(draft, id: id, in: home, createdBy: caller.principal.actor, at: now)
        try await store.insert(key)
        try await keys.add(token, to: id, in: home, store, at: now)
        let changes = Changes(created: draft)
        try await keys.record(.created, key, home, caller, at: now, changes: changes, connection)
        guard let made = try await store.find(id, in: home.keyOwner) else { throw Refusal.notFound }
        return made
    }
}
