package import FoundationEssentials
import JSON
import KeyStore
package import Keys
package import Notices
import Postgres
package import Tenancy

/// A webhook with its signing secret.
package struct RevealedWebhook: Sendable {
    /// The webhook as it is now.
    package let webhook: Webhook
    /// The webhook as JSON text, as the surface rendered it for the first request with the same `Idempotency-Key`.
    package let answer: String
    /// The signing secret.
    package let secret: SigningSecret
    /// True if an earlier request with the same `Idempotency-Key` made the secret.
    package let isReplay: Bool
}

/// The use cases of webhooks.
///
/// A webhook tells its receiver of everything that happens to keys, so operators, who reach no key of an organization, have none. Whoever
/// decides which events are sent, and where to, must be able to read events.
package struct WebhookService: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let changes: ControlChanges
    let notices: Notices

    // MARK: Reading

    /// Returns a page of an organization's webhooks, newest first.
    ///
    /// A member with a role in single workspaces sees the webhooks of those.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors.
    package func list(_ page: PageRequest, organization name: String, by caller: Caller) async throws -> Page<Webhook> {
        let organization = try await organization(name, .webhooksRead, caller)
        let workspaces = caller.principal.workspaces(with: .webhooksRead).map { Array($0) }
        return try await context.readWebhooks { try await $0.webhooks(page, of: organization, in: workspaces) }
    }

    /// Returns a webhook.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors.
    package func get(_ id: UUID, organization name: String, by caller: Caller) async throws -> Webhook {
        let organization = try await organization(name, .webhooksRead, caller)
        return try await webhook(id, organization, .webhooksRead, caller)
    }

    /// Returns a page of a webhook's deliveries, newest first.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors.
    package func deliveries(
        _ page: PageRequest,
        of id: UUID,
        organization name: String,
        by caller: Caller
    ) async throws -> Page<Delivery> {
        _ = try await get(id, organization: name, by: caller)
        return try await context.withReader {
            try await DeliveryStore($0).deliveries(page, of: id)
        }
    }

    // MARK: Changes

    /// Creates a webhook.
    ///
    /// A receiver at an address that cannot be called is accepted. Its deliveries fail with the reason.
    ///
    /// - Parameters:
    ///   - new: The settings.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and secret.
    ///   - answer: Renders the webhook as JSON text without the secret.
    /// - Returns: The answer and the signing secret.
    /// - Throws: `Refusal`, or the database's errors.
    package func create(
        _ new: NewWebhook,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Webhook) -> String
    ) async throws -> RevealedWebhook {
        let organization = try await organization(name, .webhooksWrite, caller)
        try caller.principal.require(.eventsRead)
        let faults = Self.faults(url: new.url, description: new.description, eventTypes: new.eventTypes)
        guard faults.isEmpty else { throw Refusal.invalid(faults) }
        if let workspace = new.workspaceID {
            try await access.requireWorkspace(workspace, of: organization, for: caller.principal)
        }
        let (stored, webhook) = try await context.changeControl(.gives) { transaction in
            let webhooks = context.webhooks(in: transaction)
            let stored = try await changes.createOnce(caller, in: transaction) { principal in
                for permission in Effect.subscription.permissions {
                    try Self.require(permission, over: new.workspaceID, principal)
                }
                try principal.requireSubscription()
            } exists: { id in
                try await webhooks.store.webhook(id, organization: organization) != nil
            } create: {
                guard try await webhooks.lockOrganization(organization) else { throw Refusal.notFound }
                let limit = context.quotas.webhooksPerOrganization
                guard try await webhooks.store.count(of: organization) < limit else {
                    throw Refusal.quotaReached(
                        "The organization has \(limit) webhooks, its maximum. Delete some of them."
                    )
                }
                let created = try await webhooks.create(new, organization: organization, by: caller.attribution)
                return (created.id, answer(created))
            }
            return (stored, try await webhooks.store.webhook(stored.resourceID, organization: organization))
        }
        guard let webhook, webhook.hasFirstSecret else {
            throw Refusal.conflict("The webhook has another secret since; rotate the secret to get a new one.")
        }
        return RevealedWebhook(
            webhook: webhook,
            answer: stored.answer,
            secret: try secret(of: webhook),
            isReplay: stored.isReplay
        )
    }

    /// Changes the settings of a webhook.
    ///
    /// - Parameters:
    ///   - id: The webhook.
    ///   - change: The change.
    ///   - known: The webhook as the caller knows it. Defaults to `nil`: the change holds whatever the webhook is now.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    /// - Returns: The webhook.
    /// - Throws: `ChangedMeanwhile` if the webhook is not as the caller knows it; `Refusal.invalid`, `notFound`, `forbidden`; the
    ///   database's errors.
    package func update(
        _ id: UUID,
        _ change: WebhookChange,
        ifStill known: Webhook? = nil,
        organization name: String,
        by caller: Caller
    ) async throws -> Webhook {
        let faults = Self.faults(of: change)
        guard faults.isEmpty else { throw Refusal.invalid(faults) }
        return try await self.change(id, name, caller, .subscription) { webhooks, organization in
            try await Self.require(known, webhooks, organization)
            return try await webhooks.update(id, organization: organization, change, by: caller.attribution)
        }
    }

    /// Enables a webhook, so that its receiver is sent events again.
    ///
    /// - Parameters:
    ///   - id: The webhook.
    ///   - known: The webhook as the caller knows it. Defaults to `nil`: it is enabled whatever was changed since.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller.
    /// - Returns: The webhook.
    /// - Throws: `ChangedMeanwhile` if the webhook is not as the caller knows it; `Refusal.notFound`, `forbidden`; the database's errors.
    package func enable(
        _ id: UUID,
        ifStill known: Webhook? = nil,
        organization name: String,
        by caller: Caller
    ) async throws -> Webhook {
        try await change(id, name, caller, .subscription) { webhooks, organization in
            try await Self.require(known, webhooks, organization)
            return try await webhooks.enable(id, organization: organization, by: caller.attribution)
        }
    }

    /// Disables a webhook.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors.
    package func disable(_ id: UUID, organization name: String, by caller: Caller) async throws -> Webhook {
        try await change(id, name, caller, .end) { webhooks, organization in
            try await webhooks.disable(id, organization: organization, by: caller.attribution)
        }
    }

    /// Gives a webhook another signing secret; the old one signs, too, for 24 hours.
    ///
    /// - Parameters:
    ///   - id: The webhook.
    ///   - seen: The name of the secret as the caller saw it. `nil` replaces whatever the secret is.
    ///   - name: The organization, by id or slug.
    ///   - caller: The caller. A repeated request with the same `Idempotency-Key` gets the same answer and secret.
    ///   - answer: Renders the webhook as JSON text without the secret.
    /// - Returns: The answer and the new secret.
    /// - Throws: `Refusal.conflict` for a repeated request after another rotation, and if the secret is not the one that the caller saw;
    ///   `notFound`, `forbidden`; the database's errors.
    package func rotateSecret(
        _ id: UUID,
        replacing seen: String? = nil,
        organization name: String,
        by caller: Caller,
        answer: @Sendable (Webhook) -> String
    ) async throws -> RevealedWebhook {
        let organization = try await organization(name, .webhooksWrite, caller)
        let current = try await target(id, organization, caller)
        let (stored, webhook) = try await context.changeControl { transaction in
            let webhooks = context.webhooks(in: transaction)
            let stored = try await changes.createOnce(caller, in: transaction) { principal in
                try Self.require(.webhooksWrite, over: current.workspaceID, principal)
                try principal.requireSubscription()
            } exists: { id in
                try await webhooks.store.webhook(id, organization: organization) != nil
            } create: {
                do {
                    let rotated = try await webhooks.rotateSecret(
                        id,
                        replacing: seen,
                        organization: organization,
                        by: caller.attribution
                    )
                    guard let rotated else { throw Refusal.notFound }
                    return (id, "[\"\(rotated.secretName)\",\(answer(rotated))]")
                } catch is SecretReplaced {
                    throw Refusal.conflict(
                        "Somebody rotated the secret meanwhile. Nothing was changed. Rotate it again to replace the newest one."
                    )
                }
            }
            return (stored, try await webhooks.store.webhook(id, organization: organization))
        }
        // The name of the secret stands before the answer, so that a repeated request notices another rotation.
        let parts = try JSONValue(parsing: stored.answer.utf8).array ?? []
        guard let webhook, parts.count == 2, parts[0].string == webhook.secretName else {
            throw Refusal.conflict("The webhook has another secret since; rotate the secret to get a new one.")
        }
        return RevealedWebhook(
            webhook: webhook,
            answer: parts[1].text,
            secret: try secret(of: webhook),
            isReplay: stored.isReplay
        )
    }

    /// Deletes a webhook with its deliveries.
    ///
    /// - Throws: `Refusal.notFound`, `forbidden`; the database's errors.
    package func delete(_ id: UUID, organization name: String, by caller: Caller) async throws {
        _ = try await change(id, name, caller, .end) { webhooks, organization in
            let webhook = try await webhooks.store.webhook(id, organization: organization)
            return try await webhooks.delete(id, organization: organization, by: caller.attribution) ? webhook : nil
        }
    }

    // MARK: Deliveries

    /// Sends an event of type `webhook.test`.
    ///
    /// - Throws: `Refusal.conflict` if the webhook is disabled; `quotaReached` after 100 tests within an hour; `notFound`, `forbidden`; the
    ///   database's errors.
    package func test(_ id: UUID, organization name: String, by caller: Caller) async throws {
        try await deliver(id, name, caller) { webhook, transaction in
            let outcome = try await DeliveryStore(transaction.connection)
                .insertTest(
                    of: webhook,
                    by: caller.attribution.actor,
                    at: try await transaction.now(),
                    shift: notices.shift
                )
            switch outcome {
            case .added: break
            case .refused(let minutes):
                let (number, pause) = (DeliveryStore.mostTests, minutes == 1 ? "a minute" : "\(minutes) minutes")
                throw Refusal.quotaReached(
                    "The webhook has had \(number) test events within an hour, its maximum. Send the next one in \(pause)."
                )
            case .missing: throw Refusal.notFound
            }
        }
    }

    /// Makes the next attempt of a delivery due, also after its last attempt.
    ///
    /// - Throws: `Refusal.conflict` if the webhook is disabled, or after 100 attempts; `notFound`, `forbidden`; the database's errors.
    package func retry(
        _ delivery: UUID,
        of id: UUID,
        organization name: String,
        by caller: Caller
    ) async throws {
        try await deliver(id, name, caller) { webhook, transaction in
            let found = try await DeliveryStore(transaction.connection)
                .retry(delivery, of: webhook.id, shift: notices.shift)
            guard let isDue = found else { throw Refusal.notFound }
            guard isDue else {
                throw Refusal.conflict(
                    "The delivery has had \(DeliveryStore.mostAttempts) attempts, its maximum. Send a test event."
                )
            }
        }
    }

    private func deliver(
        _ id: UUID,
        _ name: String,
        _ caller: Caller,
        _ body: (Webhook, AuditedTransaction) async throws -> Void
    ) async throws {
        let organization = try await organization(name, .webhooksWrite, caller)
        _ = try await target(id, organization, caller)
        try await context.changeControl { transaction in
            let principal = try await access.recheck(caller.principal, in: transaction)
            let found = try await WebhookStore(transaction.connection).webhook(id, organization: organization)
            guard let found else { throw Refusal.notFound }
            try Self.require(.webhooksWrite, over: found.workspaceID, principal)
            guard found.isEnabled else { throw Refusal.conflict("The webhook is disabled. Enable it first.") }
            try await body(found, transaction)
        }
        notices.wakeDeliveries()
    }

    // MARK: Shared

    /// Returns the organization, for a caller with a permission.
    private func organization(_ name: String, _ permission: Permission, _ caller: Caller) async throws -> UUID {
        guard caller.principal.reach != .platform else {
            throw Refusal.forbiddenKind("Webhooks need an admin key of the organization.")
        }
        let organization = try await access.organization(name, for: caller.principal).id
        try caller.principal.require(permission)
        return organization
    }

    /// Returns a webhook that the caller can see.
    private func webhook(
        _ id: UUID,
        _ organization: UUID,
        _ permission: Permission,
        _ caller: Caller
    ) async throws -> Webhook {
        let found = try await context.readWebhooks { try await $0.webhook(id, organization: organization) }
        guard let found, Self.sees(found, permission, caller.principal) else { throw Refusal.notFound }
        return found
    }

    /// Returns the webhook that a change is about, if the caller can change it.
    private func target(_ id: UUID, _ organization: UUID, _ caller: Caller) async throws -> Webhook {
        try await context.settling { try await webhook(id, organization, .webhooksWrite, caller) }
    }

    /// The effect of a change of a webhook.
    private enum Effect {
        /// The change decides which events are sent, or where to.
        case subscription
        /// The change ends the webhook's deliveries.
        case end

        /// The permissions of a caller who makes such a change.
        var permissions: [Permission] {
            switch self {
            case .subscription: [.webhooksWrite, .eventsRead]
            case .end: [.webhooksWrite]
            }
        }

        /// Throws unless a caller with the permissions can make such a change.
        func require(of principal: Principal) throws(Refusal) {
            switch self {
            case .subscription: try principal.requireSubscription()
            case .end: try principal.requireLive()
            }
        }
    }

    /// Runs a change of a webhook that the caller can see.
    private func change(
        _ id: UUID,
        _ name: String,
        _ caller: Caller,
        _ effect: Effect,
        _ body: (WebhookWriter, UUID) async throws -> Webhook?
    ) async throws -> Webhook {
        let organization = try await organization(name, .webhooksWrite, caller)
        for permission in effect.permissions { try caller.principal.require(permission) }
        let seen = try await target(id, organization, caller)
        return try await context.changeControl { transaction in
            let principal = try await access.recheck(caller.principal, in: transaction)
            for permission in effect.permissions { try Self.require(permission, over: seen.workspaceID, principal) }
            try effect.require(of: principal)
            guard let changed = try await body(context.webhooks(in: transaction), organization) else {
                throw Refusal.notFound
            }
            return changed
        }
    }

    /// Locks a webhook, and throws unless it is as the caller knows it.
    private static func require(_ known: Webhook?, _ webhooks: WebhookWriter, _ organization: UUID) async throws {
        guard let known else { return }
        let present = try await webhooks.store.lock(known.id, organization: organization)
        try ChangedMeanwhile.require(known.updatedAt, isStill: present?.updatedAt)
    }

    private func secret(of webhook: Webhook) throws -> SigningSecret {
        guard let secret = webhook.signingSecret(context.secrets) else {
            throw Refusal.conflict("The secrets file lacks the secret behind the signing secret; rotate the secret.")
        }
        return secret
    }

    /// Returns true if a webhook belongs to the workspaces in which the caller has the permission.
    private static func sees(_ webhook: Webhook, _ permission: Permission, _ principal: Principal) -> Bool {
        guard let workspaces = principal.workspaces(with: permission) else { return true }
        return webhook.workspaceID.map(workspaces.contains) ?? false
    }

    /// Throws unless the caller has a permission over a workspace, or over the whole organization.
    private static func require(
        _ permission: Permission,
        over workspace: UUID?,
        _ principal: Principal
    ) throws(Refusal) {
        if let workspace {
            try principal.require(permission, in: workspace)
        } else {
            try principal.requireWide(permission)
        }
    }

    // MARK: Faults

    /// The maximum length of a description in Unicode scalars, which PostgreSQL's `char_length` counts.
    private static let longestDescription = 2000
    /// The possible numbers of a webhook's types of events.
    private static let typeCount = 1...50

    /// Returns the faults of a change of settings.
    ///
    /// A form with a fault of its own does not reach ``update(_:_:organization:by:)``, and must have these faults beside
    /// it.
    ///
    /// - Parameter change: The change.
    /// - Returns: All faults; empty if none is found.
    package static func faults(of change: WebhookChange) -> [InvalidField] {
        faults(url: change.url, description: change.description ?? nil, eventTypes: change.eventTypes)
    }

    private static func faults(url: String?, description: String?, eventTypes: [String]?) -> [InvalidField] {
        var faults: [InvalidField] = []
        if let url, WebhookURL(url) == nil {
            faults.append(
                InvalidField(
                    pointer: "/url",
                    detail:
                        "Must be an https URL, or an http URL of the server's own machine, without user and fragment."
                )
            )
        }
        faults += Self.faults(ofTypes: eventTypes)
        if let description, description.unicodeScalars.count > longestDescription {
            faults.append(
                InvalidField(pointer: "/description", detail: "Must have at most \(longestDescription) characters.")
            )
        } else if let description, description.utf8.contains(0) {
            faults.append(InvalidField(pointer: "/description", detail: "Must not contain the character U+0000."))
        }
        return faults
    }

    private static func faults(ofTypes types: [String]?) -> [InvalidField] {
        guard let types else { return [] }
        guard typeCount.contains(types.count) else {
            let detail = "Must have \(typeCount.lowerBound) to \(typeCount.upperBound) types of events."
            return [InvalidField(pointer: "/event_types", detail: detail)]
        }
        return types.enumerated().filter { !WebhookEventTypes.isPattern($0.element) }
            .map { index, _ in
                InvalidField(
                    pointer: "/event_types/\(index)",
                    detail:
                        "Must be a type of event such as key.revoked, or key.*, workspace.*, member.*, webhook.* or *."
                )
            }
    }
}

extension ServiceDependencies {
    /// Reads webhooks' rows.
    fileprivate func readWebhooks<T>(_ body: (WebhookStore) async throws -> T) async throws -> T {
        try await withReader { try await body(WebhookStore($0)) }
    }
}
