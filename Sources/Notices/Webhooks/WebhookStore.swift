package import FoundationEssentials
package import Postgres
package import Tenancy

/// The rows of webhooks over one connection to the control database, for reading.
///
/// A webhook that was deleted is not seen, although its row stays until its deliveries are gone (``DeletedWebhooks``). It is disabled, so a
/// statement about enabled webhooks needs no condition of its own.
package struct WebhookStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection, which may have a transaction open.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let select = "SELECT \(Webhook.columns("w")) FROM control.webhooks w"
    private static let present = "w.id = $1 AND w.organization_id = $2 AND w.deleted_at IS NULL"
    private static let byID = Statement("\(select) WHERE \(present)")
    private static let byIDForUpdate = Statement("\(select) WHERE \(present) FOR UPDATE OF w")
    /// The webhooks come in one order, so two nodes that insert the same deliveries cannot deadlock.
    private static let enabled = Statement(
        "\(select) WHERE w.organization_id = $1 AND w.disabled_at IS NULL ORDER BY w.id"
    )
    private static let list = ListStatement(
        select,
        alias: "w",
        where: "w.organization_id = $4 AND w.deleted_at IS NULL AND ($5::uuid[] IS NULL OR w.workspace_id = ANY ($5))"
    )
    private static let count = Statement(
        "SELECT count(*) FROM control.webhooks WHERE organization_id = $1 AND deleted_at IS NULL"
    )
    private static let hasAny = Statement(
        "SELECT EXISTS (SELECT FROM control.webhooks WHERE organization_id = $1 AND disabled_at IS NULL)"
    )

    /// Returns a webhook of an organization.
    package func webhook(_ id: UUID, organization: UUID) async throws -> Webhook? {
        try await connection.query(Self.byID, [id, organization]).first.map { try Webhook(row: $0) }
    }

    /// Returns a webhook of an organization, locked until the transaction ends.
    package func lock(_ id: UUID, organization: UUID) async throws -> Webhook? {
        try await connection.query(Self.byIDForUpdate, [id, organization]).first.map { try Webhook(row: $0) }
    }

    /// Returns the enabled webhooks of an organization.
    func enabled(of organization: UUID) async throws -> [Webhook] {
        try await connection.query(Self.enabled, [organization]).map { try Webhook(row: $0) }
    }

    /// Returns true if an organization has an enabled webhook.
    package func hasEnabled(_ organization: UUID) async throws -> Bool {
        try await connection.query(Self.hasAny, [organization]).first?.decode(0) ?? false
    }

    /// Returns the number of an organization's webhooks.
    package func count(of organization: UUID) async throws -> Int {
        Int(try await connection.query(Self.count, [organization]).first?.decode(0, as: Int64.self) ?? 0)
    }

    /// Returns a page of an organization's webhooks, newest first.
    ///
    /// - Parameters:
    ///   - page: The page.
    ///   - organization: The organization.
    ///   - workspaces: The workspaces whose webhooks are listed; `nil` lists all webhooks.
    /// - Returns: The page.
    /// - Throws: The database's errors.
    package func webhooks(
        _ page: PageRequest,
        of organization: UUID,
        in workspaces: [UUID]?
    ) async throws -> Page<Webhook> {
        try await Self.list.page(
            page,
            [organization, workspaces],
            on: connection,
            cursor: { PageCursor(createdAt: $0.createdAt, id: $0.id) },
            decode: { try Webhook(row: $0) }
        )
    }
}
