import FoundationEssentials
import KeyStore
import Keys
import Logging
import Notices
public import Tenancy

/// The use cases of workspaces.
public struct WorkspaceService: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let changes: ControlChanges

    /// Creates a workspace with its own database, which is migrated and active when the method returns.
    ///
    /// - Throws: `Refusal.unfinished` if the workspace is recorded and its database could not be created yet;
    ///   `Refusal`, `TenancyError`, or the database's errors. `capacityExceeded` changes nothing: too many new workspaces wait.
    public func create(
        _ new: NewWorkspace,
        by caller: Caller,
        answer: @Sendable (Workspace) -> String
    ) async throws -> StoredAnswer {
        try caller.principal.requireReach(into: new.organizationID)
        try caller.principal.requireWide(.workspacesWrite)
        try await context.awaitTurnOfWorkspace(in: new.organizationID)
        let created = try await context.changeControl(.gives) { transaction in
            let control = context.control(in: transaction)
            return try await changes.createOnce(caller, in: transaction) { principal in
                try principal.requireWide(.workspacesWrite)
            } exists: { id in
                try await control.store.workspace(id) != nil
            } create: {
                guard try await control.store.organization(new.organizationID) != nil else { throw Refusal.notFound }
                let limit = context.quotas.workspacesPerOrganization
                guard try await control.hasRoomForWorkspace(of: new.organizationID, limit) else {
                    throw Refusal.quotaReached(
                        "The organization has \(limit) workspaces, its maximum. Delete archived ones."
                    )
                }
                let workspace = try await control.createWorkspace(new, by: caller.attribution)
                return (workspace.id, answer(workspace.activated))
            }
        }
        try await completing(["workspace_id": "\(UUIDv7.text(of: created.resourceID))"], for: caller) {
            try await reconcile(created.resourceID, of: new.organizationID)
        }
        return created
    }

    /// Completes what a request has recorded.
    ///
    /// A repeated request with the same `Idempotency-Key` gets the same workspace. Without a key it would create another one.
    ///
    /// - Parameters:
    ///   - recorded: The name of what was recorded, for the log.
    ///   - caller: The caller.
    ///   - complete: Completes it.
    /// - Throws: `Refusal.unfinished` instead of the error of `complete`, which is logged, if the request had no `Idempotency-Key`.
    func completing(
        _ recorded: Logger.Metadata,
        for caller: Caller,
        _ complete: () async throws -> Void
    ) async throws {
        do {
            try await complete()
        } catch {
            if caller.idempotency != nil { throw error }
            context.logger.warning(
                "a workspace was recorded and could not be completed",
                metadata: recorded.merging(["error": "\(error)"]) { _, new in new }
            )
            throw Refusal.unfinished
        }
    }

    /// Completes the creation of a workspace.
    ///
    /// A repeated request has the same answer, although the workspace may have been suspended or archived since.
    func reconcile(_ workspace: UUID, of organizationID: UUID) async throws {
        switch try await context.provision({ try await $0.reconcile(workspace, of: organizationID)?.state }) {
        case .active, .suspended, .archived: return
        case .creating, .deleting: throw Refusal.unavailable
        case nil: throw Refusal.resourceDeleted
        }
    }

    /// Returns a workspace that the caller reaches, by id or slug.
    ///
    /// - Parameters:
    ///   - name: The workspace, by id or slug.
    ///   - includesDeleting: True to return a workspace that is being deleted, too. Defaults to false.
    ///   - caller: The caller.
    /// - Returns: The workspace.
    /// - Throws: `Refusal.notFound`, or the database's errors.
    public func get(
        _ name: String,
        includingDeleting includesDeleting: Bool = false,
        by caller: Caller
    ) async throws -> Workspace {
        try await access.workspace(name, for: caller.principal, includingDeleting: includesDeleting)
    }

    /// Returns a page of workspaces, newest first: of the caller's organization, or of all for an operator.
    public func list(
        _ page: PageRequest,
        _ filter: WorkspaceFilter,
        by caller: Caller
    ) async throws -> Page<Workspace> {
        var filter = filter
        if let own = caller.principal.organizationID {
            if let requested = filter.organizationID, requested != own { throw Refusal.notFound }
            filter.organizationID = own
            filter.ids = caller.principal.confinement.map(Array.init)
        } else {
            try caller.principal.requirePlatform(.platform)
        }
        return try await context.readControl { [filter] in try await $0.workspaces(page, filter) }
    }

    /// Returns the workspaces of ``list(_:_:by:)`` as one list.
    ///
    /// - Parameters:
    ///   - filter: The filter.
    ///   - limit: The number of workspaces from which no further page is read.
    ///   - caller: The caller.
    /// - Returns: The workspaces, newest first.
    /// - Throws: `Refusal.conflict` if the workspaces have too many bytes, `capacityExceeded` if too many long lists wait, and the errors of
    ///   ``list(_:_:by:)``.
    public func listing(_ filter: WorkspaceFilter, limit: Int, by caller: Caller) async throws -> [Workspace] {
        var found: [Workspace] = []
        var bytes = 0
        var page: PageRequest? = PageRequest(limit: 100)
        while let asked = page, found.count < limit {
            let answer = try await list(asked, filter, by: caller)
            found += answer.items
            bytes += answer.items.reduce(0) { $0 + $1.textBytes }
            guard bytes <= context.quotas.listBytes else { break }
            page = answer.next.map { PageRequest(limit: 100, .after($0)) }
        }
        try await context.awaitTurn(of: caller.principal.organizationID, listBytes: bytes)
        guard bytes <= context.quotas.listBytes else {
            throw Refusal.conflict(
                "The workspaces of this list have more than \(context.quotas.listBytes) bytes. Shorten their metadata."
            )
        }
        return found
    }

    /// Changes the name, slug, retention or metadata of a workspace.
    ///
    /// A change of nothing leaves no event.
    ///
    /// Members create live keys, so their ceiling of scopes needs the permission to create keys, and a key that is not in test mode.
    ///
    /// - Parameters:
    ///   - name: The workspace, by id or slug.
    ///   - change: The change.
    ///   - known: The workspace as the caller knows it. Defaults to `nil`: the change holds whatever the workspace is now.
    ///   - caller: The caller.
    /// - Returns: The workspace.
    /// - Throws: `ChangedMeanwhile` if the workspace is not as the caller knows it; `Refusal`, `TenancyError`, or the database's errors.
    public func update(
        _ name: String,
        _ change: WorkspaceChange,
        ifStill known: Workspace? = nil,
        by caller: Caller
    ) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        if change.isEmpty { return workspace }
        return try await context.changeControl { transaction in
            let principal = try await access.recheck(caller.principal, in: transaction)
            try principal.require(.workspacesWrite, in: workspace.id)
            if change.memberScopes != nil {
                try principal.require(.keysWrite, in: workspace.id)
                try principal.requireLive()
            }
            if let known {
                try Self.require(known, try await ControlStore(transaction.connection).lockWorkspace(workspace.id))
            }
            return try await context.control(in: transaction)
                .updateWorkspace(workspace.id, change, by: caller.attribution)
        }
    }

    /// Suspends a workspace: its keys are refused until it is resumed.
    public func suspend(_ name: String, by caller: Caller) async throws -> Workspace {
        // A replaced token can stop keys, as it can disable them.
        let workspace = try await writable(name, caller, includingRetired: true)
        return try await context.provision { provisioner in
            try await provisioner.suspend(workspace.id, by: caller.attribution, as: caller.principal.stateAuthority) {
                transaction in
                try await recheck(caller, workspace.id, includingRetired: true, in: transaction)
            }
        }
    }

    /// Resumes a suspended workspace: its keys are accepted again.
    ///
    /// Only an operator resumes a workspace that an operator suspended.
    ///
    /// A key in test mode enables no live key, and so resumes no workspace.
    ///
    /// - Parameters:
    ///   - name: The workspace, by id or slug.
    ///   - known: The workspace as the caller knows it. Defaults to `nil`: it is resumed whatever was changed since.
    ///   - caller: The caller.
    /// - Returns: The workspace.
    /// - Throws: `ChangedMeanwhile` if the workspace is not as the caller knows it; `Refusal`, `TenancyError`, or the database's errors.
    public func resume(_ name: String, ifStill known: Workspace? = nil, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        try caller.principal.requireLive()
        // Notices became due meanwhile.
        defer { context.searches.add(workspace.id) }
        return try await context.provision { provisioner in
            try await provisioner.resume(
                workspace.id,
                by: caller.attribution,
                as: caller.principal.stateAuthority,
                examine: { try Self.require(known, $0) }
            ) { transaction in
                try await recheck(caller, workspace.id, in: transaction)
            }
        }
    }

    /// The refusal of a key in test mode, which stops live keys by a suspension.
    private static let ofTestKey =
        "A key in test mode cannot archive or delete a workspace, because its live keys would be lost. It can suspend the workspace."

    /// Archives a workspace: it stays readable, and its keys are refused until it is restored.
    ///
    /// The time for a restoration ends, so a key in test mode archives no workspace.
    public func archive(_ name: String, by caller: Caller) async throws -> Workspace {
        let workspace = try await writable(name, caller)
        try caller.principal.requireLive(Self.ofTestKey)
        return try await context.provision { provisioner in
            try await provisioner.archive(workspace.id, by: caller.attribution, as: caller.principal.stateAuthority) {
                transaction in
                try await recheck(caller, workspace.id, in: transaction)
            }
        }
    }

    /// Deletes a workspace with its database.
    ///
    /// It must be archived, so no single call destroys keys in use, or its creation must be unfinished. An operator can also delete a workspace
    /// whose database is lost. A repeated call continues a deletion that was interrupted. A key in test mode deletes no workspace.
    public func delete(_ name: String, by caller: Caller) async throws {
        let workspace = try await writable(name, caller, includingDeleting: true)
        try caller.principal.requireLive(Self.ofTestKey)
        guard !workspace.isDefault else { throw Refusal.conflict("The default workspace cannot be deleted.") }
        // Compared once more under the workspace's lock. A refused deletion must not end the connections of a workspace in use.
        var canBeDeleted = Self.deletable.contains(workspace.state)
        // Only an operator knows whether the database is being restored.
        let isOperator = caller.principal.stateAuthority == .platform
        if !canBeDeleted, isOperator {
            canBeDeleted = try await context.provision { try await $0.lacksDatabase(workspace) }
        }
        guard canBeDeleted else {
            throw Refusal.conflict("Only an archived workspace can be deleted; archive it first.")
        }
        try await drop(workspace.id, in: Self.deletable, includingLost: isOperator, by: caller)
    }

    /// Deletes a workspace that is in one of some states.
    func drop(
        _ workspace: UUID,
        in states: Set<WorkspaceState>,
        includingLost includesLost: Bool = false,
        includingDefault includesDefault: Bool = false,
        by caller: Caller
    ) async throws {
        // Before the deletion, so that few sessions have to be ended, and after it, for connections that were opened
        // meanwhile.
        await context.databases.forget(workspace)
        try await context.provision { provisioner in
            try await provisioner.delete(
                workspace,
                in: states,
                includingLost: includesLost,
                includingDefault: includesDefault,
                by: caller.attribution
            ) { transaction in
                try await recheck(caller, workspace, in: transaction)
            }
        }
        await context.databases.forget(workspace)
    }

    /// Throws unless a workspace, read under a lock, is as the caller knows it, if the caller says so.
    static func require(_ known: Workspace?, _ present: Workspace?) throws(ChangedMeanwhile) {
        if let known { try ChangedMeanwhile.require(known.updatedAt, isStill: present?.updatedAt) }
    }

    private static let deletable: Set<WorkspaceState> = [.archived, .creating, .deleting]

    /// Returns a workspace that the caller can change.
    func writable(
        _ name: String,
        _ caller: Caller,
        includingDeleting includesDeleting: Bool = false,
        includingRetired includesRetired: Bool = false
    ) async throws -> Workspace {
        let workspace = try await access.workspace(
            name,
            for: caller.principal,
            includingDeleting: includesDeleting
        )
        try caller.principal.require(.workspacesWrite, in: workspace.id)
        if !includesRetired { try caller.principal.requireCurrent() }
        return workspace
    }

    /// Throws if the caller has lost the right to change a workspace since the request came.
    ///
    /// A change of state waits for the changes before it. It must not come after the revocation of the key that asked for it.
    func recheck(
        _ caller: Caller,
        _ workspace: UUID,
        includingRetired includesRetired: Bool = false,
        in transaction: AuditedTransaction
    ) async throws {
        try await access.recheck(caller.principal, includingRetired: includesRetired, in: transaction)
            .require(.workspacesWrite, in: workspace)
    }
}

extension Principal {
    /// The rank of the principal's changes of a workspace's state.
    var stateAuthority: StateAuthority { reach == .platform ? .platform : .organization }
}

extension Workspace {
    /// The bytes of the texts that the owner chose.
    fileprivate var textBytes: Int {
        let texts = [name ?? "", slug, metadata, dataRetention] + (memberScopes ?? [])
        return texts.reduce(0) { $0 + $1.utf8.count }
    }

    /// The workspace in its state once its database is ready.
    ///
    /// Answers are sent only then.
    var activated: Workspace {
        var copy = self
        copy.state = .active
        return copy
    }
}
