package import FoundationEssentials
package import KeyStore
package import Keys
import Postgres
import Tenancy

/// Writes the rows of webhooks in an audited transaction, each change with its event.
package struct WebhookWriter: Sendable {
    /// The rows as the transaction sees them.
    package let store: WebhookStore

    private let transaction: AuditedTransaction
    private let identifiers: IdentifierSource
    private let secrets: [WebhookSecret]

    private var connection: PostgresConnection { transaction.connection }

    /// Creates a writer.
    package init(_ transaction: AuditedTransaction, _ secrets: SecretsFile) {
        self.transaction = transaction
        self.secrets = secrets.webhooks
        identifiers = .system
        store = WebhookStore(transaction.connection)
    }

    private static let lockOrganization = Statement("SELECT id FROM control.organizations WHERE id = $1 FOR UPDATE")
    private static let insert = Statement(
        """
        INSERT INTO control.webhooks AS w (id, organization_id, workspace_id, url, description, event_types, secret_id,
            secret_nonce, first_secret_nonce)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        RETURNING \(Webhook.columns("w"))
        """
    )
    private static let update = Statement(
        """
        UPDATE control.webhooks AS w SET url = $2, description = $3, event_types = $4, updated_at = now() WHERE id = $1
        RETURNING \(Webhook.columns("w"))
        """
    )
    /// The webhook begins again without failures.
    private static let enable = Statement(
        """
        UPDATE control.webhooks AS w SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, updated_at = now()
        WHERE id = $1
        RETURNING \(Webhook.columns("w"))
        """
    )
    private static let disable = Statement(
        """
        UPDATE control.webhooks AS w SET disabled_at = now(), disabled_reason = $2, updated_at = now()
        WHERE id = $1 AND disabled_at IS NULL
        RETURNING \(Webhook.columns("w"))
        """
    )
    private static let rotate = Statement(
        """
        UPDATE control.webhooks AS w SET old_secret_id = secret_id, old_secret_nonce = secret_nonce,
            old_secret_ends_at = clock_timestamp() + interval '24 hours', secret_id = $2, secret_nonce = $3,
            updated_at = now()
        WHERE id = $1
        RETURNING \(Webhook.columns("w"))
        """
    )
    /// A webhook whose deliveries are no more than a batch goes at once, so that rows do not collect until the next upkeep.
    private static let deleteWhole = Statement(
        """
        DELETE FROM control.webhooks w WHERE id = $1 AND (
            SELECT count(*) FROM (
                SELECT FROM control.webhook_deliveries d WHERE d.webhook_id = w.id LIMIT \(DeletedWebhooks.batch + 1)
            ) d
        ) <= \(DeletedWebhooks.batch)
        """
    )
    /// The webhook is disabled, too, which a node of an earlier release obeys.
    private static let markDeleted = Statement(
        """
        UPDATE control.webhooks SET deleted_at = clock_timestamp(), disabled_at = coalesce(disabled_at, clock_timestamp()),
            disabled_reason = coalesce(disabled_reason, $2), updated_at = now()
        WHERE id = $1
        """
    )

    /// Locks an organization, so that its webhooks can be counted.
    ///
    /// - Returns: False if the organization does not exist.
    package func lockOrganization(_ id: UUID) async throws -> Bool {
        try await !connection.query(Self.lockOrganization, [id]).isEmpty
    }

    /// Creates a webhook, and marks its workspaces as possible sources of events.
    package func create(_ new: NewWebhook, organization: UUID, by attribution: Attribution) async throws -> Webhook {
        guard let secret = secrets.first else { throw PostgresError.rowMissing }
        let row =
            try await connection.query(
                Self.insert,
                [
                    identifiers.id(), organization, new.workspaceID, new.url, new.description, new.eventTypes,
                    secret.id.text, Self.nonce(),
                ]
            )
            .first.orMissing()
        let webhook = try Webhook(row: row)
        try await EventSources(connection: connection).markAll(of: organization, only: new.workspaceID)
        var changes = Self.naming(webhook)
        changes.add("event_types", webhook.eventTypes)
        try await record(.webhookCreated, of: webhook, changes, by: attribution)
        return webhook
    }

    /// Changes the settings of a webhook; a change of nothing leaves no event.
    ///
    /// - Returns: The webhook, or `nil` if the organization has none of that id.
    package func update(
        _ id: UUID,
        organization: UUID,
        _ change: WebhookChange,
        by attribution: Attribution
    ) async throws -> Webhook? {
        guard let old = try await store.lock(id, organization: organization) else { return nil }
        let url = change.url ?? old.url
        let description: String? = change.description ?? old.description
        let eventTypes = change.eventTypes ?? old.eventTypes
        guard url != old.url || description != old.description || eventTypes != old.eventTypes else { return old }
        let row = try await connection.query(Self.update, [id, url, description, eventTypes]).first.orMissing()
        let new = try Webhook(row: row)
        var changes = EventChanges()
        if url == old.url {
            changes = Self.naming(new)
        } else {
            changes.add("webhook", new.id)
            changes.add("url", from: Self.shown(old.url), to: Self.shown(url))
        }
        changes.compare("description", from: old.description, to: description)
        changes.compare("event_types", from: old.eventTypes, to: eventTypes)
        try await record(.webhookUpdated, of: new, changes, by: attribution)
        return new
    }

    /// Enables a webhook.
    ///
    /// - Returns: The webhook, or `nil` if the organization has none of that id.
    package func enable(_ id: UUID, organization: UUID, by attribution: Attribution) async throws -> Webhook? {
        guard let old = try await store.lock(id, organization: organization) else { return nil }
        if old.isEnabled { return old }
        let webhook = try Webhook(row: try await connection.query(Self.enable, [id]).first.orMissing())
        try await EventSources(connection: connection).markAll(of: organization, only: webhook.workspaceID)
        try await record(.webhookEnabled, of: webhook, Self.naming(webhook), by: attribution)
        return webhook
    }

    /// Disables a webhook because somebody asked for it.
    ///
    /// - Returns: The webhook, or `nil` if the organization has none of that id.
    package func disable(_ id: UUID, organization: UUID, by attribution: Attribution) async throws -> Webhook? {
        guard let old = try await store.lock(id, organization: organization) else { return nil }
        return try await disable(old, because: .request, by: attribution)
    }

    /// Disables a webhook that has had nothing but failures since a time.
    ///
    /// The record of a success can come between the record of a failure and this call. So the failures are compared under the lock.
    ///
    /// - Parameters:
    ///   - id: The webhook.
    ///   - organization: The organization.
    ///   - time: The latest time at which the failures may have begun.
    ///   - attribution: The attribution of the event.
    /// - Returns: False if the webhook is not disabled, or was disabled before.
    /// - Throws: The database's errors.
    package func disable(
        _ id: UUID,
        organization: UUID,
        failingSince time: Timestamp,
        by attribution: Attribution
    ) async throws -> Bool {
        guard let old = try await store.lock(id, organization: organization), old.isEnabled,
            let failingSince = old.failingSince, failingSince <= time
        else { return false }
        _ = try await disable(old, because: .failures, by: attribution)
        return true
    }

    /// Disables a webhook whose row is locked.
    private func disable(
        _ old: Webhook,
        because reason: Webhook.Disabling,
        by attribution: Attribution
    ) async throws -> Webhook {
        guard let row = try await connection.query(Self.disable, [old.id, reason.rawValue]).first else { return old }
        let webhook = try Webhook(row: row)
        var changes = Self.naming(webhook)
        changes.add("reason", reason.sentence)
        try await record(.webhookDisabled, of: webhook, changes, by: attribution)
        return webhook
    }

    /// Gives a webhook another signing secret; the old one signs, too, for 24 hours.
    ///
    /// - Parameters:
    ///   - id: The webhook.
    ///   - seen: The name of the secret that the caller saw (``Webhook/secretName``). `nil` replaces whatever the secret is.
    ///   - organization: The organization.
    ///   - attribution: The attribution of the change.
    /// - Returns: The webhook, or `nil` if the organization has none of that id.
    /// - Throws: `SecretReplaced` if the webhook has another secret than the caller saw; the database's errors.
    package func rotateSecret(
        _ id: UUID,
        replacing seen: String?,
        organization: UUID,
        by attribution: Attribution
    ) async throws -> Webhook? {
        guard let present = try await store.lock(id, organization: organization), let secret = secrets.first else {
            return nil
        }
        if let seen, seen != present.secretName { throw SecretReplaced() }
        let row = try await connection.query(Self.rotate, [id, secret.id.text, Self.nonce()]).first.orMissing()
        let webhook = try Webhook(row: row)
        try await record(.webhookSecretRotated, of: webhook, Self.naming(webhook), by: attribution)
        return webhook
    }

    /// Deletes a webhook with its deliveries.
    ///
    /// With many deliveries, the row is marked and stays until ``DeletedWebhooks`` has deleted them. Nobody sees it.
    ///
    /// - Returns: False if the organization has no such webhook.
    package func delete(_ id: UUID, organization: UUID, by attribution: Attribution) async throws -> Bool {
        guard let webhook = try await store.lock(id, organization: organization) else { return false }
        if try await connection.query(Self.deleteWhole, [id]).affectedRows == 0 {
            try await connection.query(Self.markDeleted, [id, Webhook.Disabling.request.rawValue])
        }
        try await record(.webhookDeleted, of: webhook, Self.naming(webhook), by: attribution)
        return true
    }

    private static func naming(_ webhook: Webhook) -> EventChanges {
        var changes = EventChanges()
        changes.add("webhook", webhook.id)
        changes.add("url", shown(webhook.url))
        return changes
    }

    /// Returns the part of a URL that events have: the scheme, the host and the port.
    ///
    /// The path or the query is often a credential of the receiver, and events have readers that webhooks do not have.
    private static func shown(_ text: String) -> String {
        guard let url = WebhookURL(text) else { return "…" }
        return "\(url.isEncrypted ? "https" : "http")://\(url.authority)/…"
    }

    private static func nonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<WebhookSecret.nonceByteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private func record(
        _ type: EventType,
        of webhook: Webhook,
        _ changes: EventChanges,
        by attribution: Attribution
    ) async throws {
        try await transaction.record(
            EventRecord(
                type,
                id: identifiers.id(),
                workspaceID: webhook.workspaceID,
                organizationID: webhook.organizationID,
                changes: changes,
                by: attribution,
                at: try await transaction.now()
            )
        )
    }
}

/// The refusal to replace a signing secret that somebody has replaced already.
package struct SecretReplaced: Error {}
