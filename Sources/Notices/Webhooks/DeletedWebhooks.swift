package import FoundationEssentials
package import Postgres

/// The webhooks that were deleted and still have deliveries, over one connection to the control database.
///
/// A webhook can have more deliveries than one statement can delete in its time. They are deleted in batches, each in a transaction of its
/// own, so that a deletion that is interrupted has made progress.
package struct DeletedWebhooks: Sendable {
    /// The maximum number of deliveries that a statement deletes, with their attempts.
    package static let batch = 1000

    let connection: PostgresConnection

    /// Creates the webhooks over a connection.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let list = Statement(
        """
        SELECT id FROM control.webhooks WHERE deleted_at IS NOT NULL AND ($1::uuid IS NULL OR organization_id = $1) ORDER BY id
        """
    )
    /// The order is that of an index, without which the last batch of a webhook reads the whole table.
    ///
    /// A delivery that another node deletes, or whose attempt is being recorded, is left to that node or to the next batch.
    private static let removeDeliveries = Statement(
        """
        DELETE FROM control.webhook_deliveries WHERE id IN (
            SELECT id FROM control.webhook_deliveries WHERE webhook_id = $1 ORDER BY created_at, id LIMIT \(batch)
            FOR UPDATE SKIP LOCKED
        )
        """
    )
    /// A delivery that was inserted meanwhile keeps the row, as does a reference to it that is not committed yet.
    private static let removeEmpty = Statement(
        """
        DELETE FROM control.webhooks WHERE id IN (
            SELECT w.id FROM control.webhooks w
            WHERE w.id = $1 AND w.deleted_at IS NOT NULL
              AND NOT EXISTS (SELECT FROM control.webhook_deliveries d WHERE d.webhook_id = w.id)
            FOR UPDATE OF w SKIP LOCKED
        )
        """
    )

    /// Returns the ids of the webhooks.
    ///
    /// - Parameter organization: The organization. `nil` stands for all organizations.
    /// - Returns: The ids.
    /// - Throws: The database's errors.
    package func ids(of organization: UUID?) async throws -> [UUID] {
        try await connection.query(Self.list, [organization]).map { try $0.decode(0, as: UUID.self) }
    }

    /// Deletes up to a thousand deliveries of a webhook, the oldest ones first.
    ///
    /// - Parameter webhook: A webhook that was deleted.
    /// - Returns: The number of deliveries. A number below ``batch`` means that no other delivery can be deleted now.
    /// - Throws: The database's errors.
    package func removeDeliveries(of webhook: UUID) async throws -> Int {
        try await connection.query(Self.removeDeliveries, [webhook]).affectedRows
    }

    /// Deletes the row of a webhook without deliveries; any other stays.
    func removeEmpty(_ webhook: UUID) async throws {
        try await connection.query(Self.removeEmpty, [webhook])
    }
}
