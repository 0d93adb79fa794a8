import FoundationEssentials
public import KeyStore
import Keys
import Logging
import Notices
import People
import Postgres
public import Tenancy

/// An organization that was created, with its default workspace and its first admin key.
public struct CreatedOrganization: Sendable {
    /// The organization.
    public let organization: Organization
    /// The default workspace.
    public let defaultWorkspace: Workspace
    /// The first admin key, which has every permission in the organization.
    public let adminKey: KeyRecord
}

/// The use cases of organizations.
///
/// Only an operator key creates one.
public struct OrganizationService: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let changes: KeyChanges
    let workspaces: WorkspaceService

    /// Creates an organization, its first admin key and its default workspace.
    ///
    /// The rows are one transaction in the control database. The workspace's database follows. If that is interrupted,
    /// the organization exists with a workspace in state `creating`, which the next start or a repeated request
    /// completes.
    ///
    /// - Parameters:
    ///   - new: The organization.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and the same
    ///     token.
    ///   - answer: Renders the organization as JSON text without a token: the answer of repeated requests.
    /// - Returns: The answer and the admin key's token. The default workspace is active.
    /// - Throws: `Refusal.unfinished` if the organization is recorded, its workspace could not be created yet, and the request had no
    ///   `Idempotency-Key`. Nobody gets the token of the admin key then; an operator creates another key. `Refusal`, `TenancyError`, or the
    ///   database's errors.
    public func create(
        _ new: NewOrganization,
        by caller: Caller,
        answer: @Sendable (CreatedOrganization) -> String
    ) async throws -> IssuedKey {
        try caller.principal.requirePlatform(.platform)
        let draft = KeyDraft(name: "First admin key", kind: .admin, permissions: .organization)
        let issued = try await changes.issue(
            .new,
            recordedAs: .newKey,
            in: .platform,
            by: caller,
            owner: { record, store in
                try await store.organization(ofAdminKey: record.resourceID).map { KeyOwner.organization($0) }
            },
            { _, change in
                let (created, token) = try await insert(new, draft, change)
                return IssuedKey(
                    answer: answer(created),
                    token: token,
                    isReplay: false,
                    keyID: created.adminKey.id
                )
            }
        )
        try await workspaces.completing(["key_id": "\(UUIDv7.text(of: issued.keyID))"], for: caller) {
            try await reconcileDefaultWorkspace(ofAdminKey: issued.keyID)
        }
        return issued
    }

    private func insert(
        _ new: NewOrganization,
        _ draft: KeyDraft,
        _ change: KeyChange
    ) async throws -> (CreatedOrganization, Token) {
        let control = context.control(in: change.transaction)
        let organization = try await control.createOrganization(new, by: change.attribution)
        let workspace = try await control.createWorkspace(
            NewWorkspace(organizationID: organization.id, name: "Default", slug: "default", isDefault: true),
            by: change.attribution
        )
        let (key, token) = try await change.create(draft, owner: .organization(organization.id)) { key in
            try change.token(TokenForm(prefix: draft.kind.defaultPrefix, mode: key.mode), for: key.id)
        }
        let created = CreatedOrganization(
            organization: try await control.store.organization(organization.id) ?? organization,
            defaultWorkspace: workspace.activated,
            adminKey: key
        )
        return (created, token)
    }

    /// Completes the default workspace of the organization that owns an admin key.
    private func reconcileDefaultWorkspace(ofAdminKey id: UUID) async throws {
        let workspace = try await context.withConnection(to: nil) { connection -> Workspace? in
            guard let organization = try await KeyStore(connection).organization(ofAdminKey: id) else { return nil }
            return try await ControlStore(connection).defaultWorkspace(of: organization)
        }
        guard let workspace else { throw Refusal.resourceDeleted }
        try await workspaces.reconcile(workspace.id, of: workspace.organizationID)
    }

    /// Returns an organization that the caller reaches, by id or slug.
    public func get(_ name: String, by caller: Caller) async throws -> Organization {
        try await access.organization(name, for: caller.principal)
    }

    /// Changes an organization.
    ///
    /// Operators change everything. Admin keys and members with `keys:write` and `webhooks:write` in the whole organization change its
    /// reaction to leaked tokens and its notices. A change of nothing leaves no event.
    ///
    /// - Parameters:
    ///   - name: The organization, by id or slug.
    ///   - change: The change.
    ///   - known: The organization as the caller knows it. Defaults to `nil`: the change holds whatever the organization is now.
    ///   - caller: The caller.
    /// - Returns: The organization.
    /// - Throws: `ChangedMeanwhile` if the organization is not as the caller knows it; `notFound`, `forbidden`; `TenancyError`, or the
    ///   database's errors.
    public func update(
        _ name: String,
        _ change: OrganizationChange,
        ifStill known: Organization? = nil,
        by caller: Caller
    ) async throws -> Organization {
        let organization = try await get(name, by: caller)
        try Self.require(change, caller.principal)
        if change == OrganizationChange() { return organization }
        let changesDays =
            change.expiryNoticeDays.map { $0 != organization.expiryNoticeDays } == true
            || change.unusedAfterDays.map { $0 != organization.unusedAfterDays } == true
        // A failed COMMIT can have committed.
        defer { if changesDays { context.searches.add(allOf: organization.id) } }
        return try await context.changeControl { transaction in
            try Self.require(change, try await access.recheck(caller.principal, in: transaction))
            if let known {
                let present = try await ControlStore(transaction.connection).lockOrganization(organization.id)
                try ChangedMeanwhile.require(known.updatedAt, isStill: present?.updatedAt)
            }
            return try await context.control(in: transaction)
                .updateOrganization(organization.id, change, by: caller.attribution)
        }
    }

    /// Throws unless the credential may make a change of an organization that it reaches.
    private static func require(_ change: OrganizationChange, _ principal: Principal) throws(Refusal) {
        guard principal.reach != .platform else { return try principal.requirePlatform(.platform) }
        guard change.isOfNotices else {
            throw .forbiddenKind(
                "Only operators change the name, the slug and the token prefix of an organization. This needs an operator key."
            )
        }
        try requireNotices(principal)
    }

    /// Throws unless the credential of an organization may change its reaction to leaked tokens and its notices.
    package static func requireNotices(_ principal: Principal) throws(Refusal) {
        for permission in [Permission.keysWrite, .webhooksWrite] { try principal.requireWide(permission) }
        // The reaction outlives its author, and decides what becomes of live keys.
        try principal.requireCurrent()
        try principal.requireLive()
    }

    /// Deletes an organization with its default workspace, admin keys, members and session issuers; for operators.
    ///
    /// Its other workspaces must have been deleted, and its default workspace must be suspended, so that no single call
    /// destroys keys in use. A repeated call continues a deletion that was interrupted.
    ///
    /// The webhooks go first, each with an event, and then their deliveries. There can be more of them than one call can delete, and the
    /// end of a workspace's database cannot be undone.
    ///
    /// - Throws: `Refusal.conflict` if a workspace is in the way; `notFound`, `forbidden`; `TenancyError.busy` if deliveries are left;
    ///   other `TenancyError`s, or the database's errors.
    public func delete(_ name: String, by caller: Caller) async throws {
        try caller.principal.requirePlatform(.platform)
        try caller.principal.requireCurrent()
        try caller.principal.requireLive(
            "A key in test mode cannot delete an organization, because its live keys would be lost."
        )
        let organization = try await existing(name, by: caller)
        let found = try await context.readControl {
            try await $0.workspaces(PageRequest(limit: 100), WorkspaceFilter(organizationID: organization))
        }
        guard found.items.allSatisfy({ $0.isDefault || $0.state == .deleting }) else {
            throw Refusal.conflict("The organization has further workspaces. Archive and delete them first.")
        }
        guard found.items.allSatisfy({ Self.deletable.contains($0.state) }) else {
            throw Refusal.conflict("The organization's default workspace is in use. Suspend it first.")
        }
        try await deleteWebhooks(of: organization, by: caller)
        for workspace in found.items {
            try await workspaces.drop(workspace.id, in: Self.deletable, includingDefault: true, by: caller)
        }
        try await changes.deleteAll(KeyCollection(owner: .organization(organization)), by: caller) { change in
            let people = context.people(in: change.transaction)
            try await people.lockMembers(of: organization)
            try await people.deleteMembers(of: organization)
            try await context.control(in: change.transaction)
                .deleteOrganization(organization, by: change.attribution)
        }
    }

    /// Deletes the webhooks of an organization, and of their deliveries all but a few, which a single statement can delete.
    private func deleteWebhooks(of organization: UUID, by caller: Caller) async throws {
        var isLeft = true
        while isLeft {
            isLeft = try await context.changeControl { transaction in
                try await access.recheck(caller.principal, in: transaction).requirePlatform(.platform)
                let webhooks = context.webhooks(in: transaction)
                let page = try await webhooks.store.webhooks(PageRequest(limit: 1), of: organization, in: nil)
                guard let webhook = page.items.first else { return false }
                _ = try await webhooks.delete(webhook.id, organization: organization, by: caller.attribution)
                return true
            }
        }
        // The rest of the deletion needs time, too.
        let reserve = PostgresDeadline.remaining.map { $0 / 2 }
        let deleted = try await context.withConnection(to: nil) { try await DeletedWebhooks($0).ids(of: organization) }
        for webhook in deleted {
            while true {
                let count = try await context.withConnection(to: nil) { connection in
                    try await DeletedWebhooks(connection).removeDeliveries(of: webhook)
                }
                if count < DeletedWebhooks.batch { break }
                guard let reserve, let left = PostgresDeadline.remaining, left < reserve else { continue }
                throw TenancyError(
                    .busy,
                    "the organization's webhooks had more deliveries than one request can delete, and some are left; send the request again"
                )
            }
        }
    }

    /// Returns the organization of a name, and says that there is none once all nodes know it.
    ///
    /// A deletion that was answered with 503 can have been committed without a standby that knows it, and after the end of its fences
    /// (decision 0014, rules 30 and 31).
    private func existing(_ name: String, by caller: Caller) async throws -> UUID {
        do {
            return try await get(name, by: caller).id
        } catch let refusal as Refusal where refusal.tellsOfEarlierChange {
            try await changes.confirmMissing(nil, in: KeyCollection(owner: .platform))
            throw refusal
        }
    }

    private static let deletable: Set<WorkspaceState> = [.suspended, .creating, .deleting]

    /// Returns a page of organizations.
    ///
    /// An admin key sees its own.
    public func list(_ page: PageRequest, query: String?, by caller: Caller) async throws -> Page<Organization> {
        if let own = caller.principal.organizationID {
            let organization = try await get(UUIDv7.text(of: own), by: caller)
            let needle = query?.lowercased() ?? ""
            let texts = [organization.name.lowercased(), organization.slug.lowercased()]
            let matches = needle.isEmpty || texts.contains { $0.contains(needle) }
            return Page(matches && page.position == .first ? [organization] : [], of: page) {
                PageCursor(createdAt: $0.createdAt, id: $0.id)
            }
        }
        try caller.principal.requirePlatform(.platform)
        return try await context.readControl { try await $0.organizations(page, query: query) }
    }
}
