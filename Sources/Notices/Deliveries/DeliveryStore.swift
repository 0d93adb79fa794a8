package import FoundationEssentials
import KeyStore
package import Keys
package import Postgres
package import Tenancy

/// The deliveries of a webhook over one connection to the control database.
package struct DeliveryStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection, which may have a transaction open.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let list = ListStatement(
        "SELECT \(Delivery.columns) FROM control.webhook_deliveries d",
        alias: "d",
        where: "d.webhook_id = $4"
    )
    private static let attempts = Statement(
        """
        SELECT delivery_id, at, duration_ms, status_code, response, error FROM control.webhook_attempts
        WHERE delivery_id = ANY ($1) ORDER BY delivery_id, number
        """
    )
    /// A shift of time moves the due time as it moves the time of the queue.
    ///
    /// A delivery that is due already does not move back.
    private static let retry = Statement(
        """
        UPDATE control.webhook_deliveries SET next_attempt_at = CASE
            WHEN attempt_count < $4 THEN least(next_attempt_at, clock_timestamp() + $3::bigint * interval '1 microsecond')
            ELSE next_attempt_at END
        WHERE id = $1 AND webhook_id = $2
        RETURNING attempt_count < $4
        """
    )
    /// The hour begins with its first test.
    ///
    /// A refusal rolls the count back.
    private static let countTest = Statement(
        """
        UPDATE control.webhooks SET
            tests_since = CASE WHEN tests_since > statement_timestamp() - interval '1 hour' THEN tests_since
                ELSE statement_timestamp() END,
            test_count = CASE WHEN tests_since > statement_timestamp() - interval '1 hour' THEN test_count + 1 ELSE 1 END
        WHERE id = $1 AND deleted_at IS NULL
        RETURNING test_count,
            greatest(1, ceil(extract(epoch FROM tests_since + interval '1 hour' - statement_timestamp()) / 60))::integer
        """
    )
    private static let insertTest = Statement(
        """
        INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body, next_attempt_at)
        VALUES ($1, $2, $3, $4, $3, 0, $5, clock_timestamp() + $6::bigint * interval '1 microsecond')
        """
    )
    private static let deleteOld = Statement(
        """
        DELETE FROM control.webhook_deliveries WHERE id IN (
            SELECT id FROM control.webhook_deliveries WHERE created_at < now() - interval '30 days' ORDER BY created_at LIMIT 1000
            FOR UPDATE SKIP LOCKED
        )
        """
    )

    /// Returns a page of a webhook's deliveries, newest first, with their attempts.
    package func deliveries(_ page: PageRequest, of webhook: UUID) async throws -> Page<Delivery> {
        let found = try await Self.list.page(
            page,
            [webhook],
            on: connection,
            cursor: { (delivery: Delivery) in PageCursor(createdAt: delivery.createdAt, id: delivery.id) },
            decode: { try Delivery(row: $0) }
        )
        var attempts: [UUID: [Delivery.Attempt]] = [:]
        for row in try await connection.query(Self.attempts, [found.items.map(\.id)]) {
            let attempt = Delivery.Attempt(
                at: try row.timestamp(1),
                milliseconds: Int(try row.decode(2, as: Int32.self)),
                statusCode: try row.decode(3, as: Int32?.self).map(Int.init),
                response: try row.decode(4),
                error: try row.decode(5)
            )
            attempts[try row.decode(0), default: []].append(attempt)
        }
        return found.map { delivery in
            var delivery = delivery
            delivery.attempts = attempts[delivery.id] ?? []
            return delivery
        }
    }

    /// The maximum number of attempts of a delivery, because a page of deliveries has all of them.
    package static let mostAttempts = 100

    /// Makes the next attempt of a delivery due, also after the last attempt.
    ///
    /// - Returns: False if the delivery has had as many attempts as it can have; `nil` if the webhook has no such delivery.
    package func retry(_ id: UUID, of webhook: UUID, shift: Duration) async throws -> Bool? {
        let parameters: [any PostgresEncodable] = [id, webhook, shift.wholeMicroseconds, Int32(Self.mostAttempts)]
        return try await connection.query(Self.retry, parameters).first?.decode(0, as: Bool.self)
    }

    /// The maximum number of test events of a webhook in an hour.
    ///
    /// A test is a row that somebody can ask for in a loop, and no quota of deliveries counts it.
    package static let mostTests = 100

    /// The outcome of asking for a test event.
    package enum TestOutcome: Sendable, Hashable {
        /// The delivery waits for its attempt.
        case added
        /// The webhook has had its tests of the hour, which ends after so many minutes. The transaction must be rolled back.
        case refused(minutes: Int)
        /// The webhook was deleted meanwhile.
        case missing
    }

    /// Adds a delivery of type `webhook.test`, unless the webhook has had ``mostTests`` within the hour.
    package func insertTest(
        of webhook: Webhook,
        by actor: String,
        at now: Timestamp,
        shift: Duration
    ) async throws -> TestOutcome {
        guard let row = try await connection.query(Self.countTest, [webhook.id]).first else { return .missing }
        guard try row.decode(0, as: Int32.self) <= Self.mostTests else {
            return .refused(minutes: Int(try row.decode(1, as: Int32.self)))
        }
        let identifiers = IdentifierSource.system
        let body = EventBody(testOf: webhook, by: actor, at: now)
        try await connection.query(
            Self.insertTest,
            [
                identifiers.id(), webhook.id, identifiers.id(), body.type, body.text, shift.wholeMicroseconds,
            ]
        )
        return .added
    }

    /// Deletes up to a thousand deliveries that are older than 30 days.
    ///
    /// - Returns: The number of deleted deliveries.
    package func deleteOld() async throws(PostgresError) -> Int {
        try await connection.query(Self.deleteOld).affectedRows
    }
}
