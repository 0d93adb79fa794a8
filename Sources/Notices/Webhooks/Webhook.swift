package import FoundationEssentials
import KeyStore
package import Keys
import Postgres

/// A webhook: an address that an organization wants to be told of events.
package struct Webhook: Sendable {
    /// The webhook's id.
    package let id: UUID
    /// The organization.
    package let organizationID: UUID
    /// The only workspace whose events are sent; `nil` sends all events of the organization.
    package let workspaceID: UUID?
    /// The URL.
    package let url: String
    /// The description.
    package let description: String?
    /// The types of events, such as `key.revoked`, `key.*` or `*`.
    package let eventTypes: [String]
    /// The reason for which the webhook is disabled; `nil` while it is enabled.
    package let disabling: Disabling?
    /// The first failed attempt since the last attempt that succeeded; `nil` if there is none.
    package let failingSince: Timestamp?
    /// The time of the last attempt that succeeded.
    package let lastDeliveryAt: Timestamp?
    /// The time of the webhook's creation.
    package let createdAt: Timestamp
    /// The time of the last change.
    package let updatedAt: Timestamp
    /// The source of the signing secret.
    let secret: StoredSecret
    /// The source of the replaced secret, if it still signs.
    let oldSecret: StoredSecret?

    /// True if events are sent.
    package var isEnabled: Bool { disabling == nil }

    /// A reason for which a webhook is disabled, as the database stores it.
    package enum Disabling: String, Sendable {
        /// All attempts failed for five days.
        case failures
        /// Somebody disabled it.
        case request

        /// Reads a stored reason.
        ///
        /// A node of an earlier release stores the sentence.
        init(stored text: String) {
            self = text == Disabling.failures.rawValue || text == Disabling.failures.sentence ? .failures : .request
        }

        /// The sentence for people.
        package var sentence: String {
            switch self {
            case .failures: "All attempts failed for 5 days."
            case .request: "Disabled by request."
            }
        }
    }

    /// The stored part of a signing secret: the id of the secret that it is derived from, and a nonce.
    struct StoredSecret: Sendable, Hashable {
        let secretID: String
        let nonce: [UInt8]

        /// Returns the signing secret, or `nil` if the secrets file lacks the secret that it is derived from.
        func signingSecret(of webhook: UUID, _ secrets: [WebhookSecret]) -> SigningSecret? {
            secrets.first { $0.id.text == secretID }?.signingSecret(of: webhook, nonce: nonce)
        }
    }

    /// Returns the current signing secret, or `nil` if the secrets file lacks the secret that it is derived from.
    package func signingSecret(_ secrets: SecretsFile) -> SigningSecret? {
        secret.signingSecret(of: id, secrets.webhooks)
    }

    /// True if the webhook still has its first secret.
    package var hasFirstSecret: Bool { firstNonce == secret.nonce }

    /// A text that tells this signing secret from the others of the webhook, and tells nothing about it.
    package var secretName: String { secret.nonce.prefix(8).map { String($0, radix: 36) }.joined(separator: ".") }

    private let firstNonce: [UInt8]

    /// The columns that `init(row:)` reads, in its order.
    static let columns = [
        "id", "organization_id", "workspace_id", "url", "description", "event_types", "disabled_reason",
        "last_delivery_at", "created_at", "updated_at", "secret_id", "secret_nonce",
        "CASE WHEN %.old_secret_ends_at > clock_timestamp() THEN %.old_secret_id END",
        "CASE WHEN %.old_secret_ends_at > clock_timestamp() THEN %.old_secret_nonce END", "first_secret_nonce",
        "failing_since",
    ]

    /// Returns the columns of a table's alias.
    static func columns(_ alias: String) -> String {
        columns.map { column in
            column.contains("%") ? column.replacing("%", with: alias) : "\(alias).\(column)"
        }
        .joined(separator: ", ")
    }

    init(row: Row, from first: Int = 0) throws(PostgresError) {
        id = try row.decode(first)
        organizationID = try row.decode(first + 1)
        workspaceID = try row.decode(first + 2)
        url = try row.decode(first + 3)
        description = try row.decode(first + 4)
        eventTypes = try row.decode(first + 5)
        disabling = try row.decode(first + 6, as: String?.self).map(Disabling.init(stored:))
        lastDeliveryAt = try row.optionalTimestamp(first + 7)
        createdAt = try row.timestamp(first + 8)
        updatedAt = try row.timestamp(first + 9)
        secret = StoredSecret(secretID: try row.decode(first + 10), nonce: try row.decode(first + 11))
        let oldID: String? = try row.decode(first + 12)
        let oldNonce: [UInt8]? = try row.decode(first + 13)
        oldSecret =
            if let oldID, let oldNonce { StoredSecret(secretID: oldID, nonce: oldNonce) } else { nil }
        firstNonce = try row.decode(first + 14)
        failingSince = try row.optionalTimestamp(first + 15)
    }
}

/// The settings of a webhook to be created.
package struct NewWebhook: Sendable {
    /// The only workspace whose events are sent; `nil` sends all events of the organization.
    package let workspaceID: UUID?
    /// The URL.
    package let url: String
    /// The description.
    package let description: String?
    /// The types of events.
    package let eventTypes: [String]

    /// Creates settings.
    package init(workspaceID: UUID?, url: String, description: String?, eventTypes: [String]) {
        self.workspaceID = workspaceID
        self.url = url
        self.description = description
        self.eventTypes = eventTypes
    }
}

/// A change of a webhook.
///
/// A property that is `nil` stays.
package struct WebhookChange: Sendable {
    /// The new URL.
    package var url: String?
    /// The new description; `.some(nil)` removes it.
    package var description: String??
    /// The new types of events.
    package var eventTypes: [String]?

    /// Creates a change of nothing.
    package init() {}
}
