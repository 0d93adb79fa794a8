import FoundationEssentials
import KeyStore
import Keys
import Postgres

/// An attempt that this node has leased.
struct LeasedAttempt: Sendable {
    let deliveryID: UUID
    let webhook: Webhook
    let eventID: UUID
    let body: String
    let firstAttemptAt: Timestamp?
    let attemptCount: Int
    /// The time at which the attempt begins.
    let at: Timestamp
    /// The end of the lease, which also tells the lease from a later one of the same node.
    let leasedUntil: Timestamp
}

/// The deliveries that are due, over one connection to the control database.
struct DeliveryQueue: Sendable {
    let connection: PostgresConnection

    /// The maximum time from a claim to the end of its attempt.
    ///
    /// A lease is longer, so no two nodes make the same attempt.
    static let maximumAttemptTime = Duration.seconds(12)

    private static let insert = Statement(
        """
        INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body, next_attempt_at)
        SELECT n.id, $1, n.event_id, n.type, n.subject_id, n.sequence, n.body,
            clock_timestamp() + $8::bigint * interval '1 microsecond'
        FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::text[])
            AS n (id, event_id, type, subject_id, sequence, body)
        ON CONFLICT (webhook_id, event_id) DO NOTHING
        """
    )

    /// Each webhook and each organization has a limited part of the attempts, so a slow receiver holds up nobody else.
    ///
    /// The numbers are those of ``AttemptSlots``. The first attempt for an event waits for the first attempts for the events of the same
    /// subject before it. The lease is longer than an attempt, and short enough that a dead node is replaced within 15 s.
    ///
    /// Of each webhook, the oldest 256 due deliveries are considered. A key with very many events at a receiver that does not answer would
    /// otherwise make each claim, also those for others, read all of them. The first delivery that waits for nothing is among them, because
    /// the deliveries of a subject become due in their order.
    ///
    /// PostgreSQL checks the conditions of `locked` again on the newest version of a row. The due time is one of them, because another
    /// node can have made the attempt since the statement began.
    private static let claim = Statement(
        """
        WITH candidates AS (
            SELECT d.id, d.next_attempt_at, row_number() OVER (
                PARTITION BY w.organization_id ORDER BY d.next_attempt_at, d.sequence
            ) AS place
            FROM control.webhooks w CROSS JOIN LATERAL (
                SELECT d.id, d.next_attempt_at, d.sequence FROM (
                    SELECT * FROM control.webhook_deliveries d
                    WHERE d.webhook_id = w.id
                      AND d.next_attempt_at <= clock_timestamp() + $2::bigint * interval '1 microsecond'
                      AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
                    ORDER BY d.next_attempt_at, d.sequence
                    LIMIT 256
                ) d
                WHERE d.first_attempt_at IS NOT NULL OR d.sequence = (
                    SELECT min(e.sequence) FROM control.webhook_deliveries e
                    WHERE e.webhook_id = d.webhook_id AND e.subject_id = d.subject_id AND e.first_attempt_at IS NULL
                )
                ORDER BY d.next_attempt_at, d.sequence
                LIMIT CASE WHEN w.failing_since IS NULL THEN 4 ELSE 1 END
            ) d
            WHERE w.disabled_at IS NULL AND w.id <> ALL ($3) AND w.organization_id <> ALL ($4)
        ), locked AS (
            SELECT d.id FROM control.webhook_deliveries d JOIN candidates c ON c.id = d.id
            WHERE c.place <= 32 AND d.next_attempt_at = c.next_attempt_at
              AND (d.leased_until IS NULL OR d.leased_until < clock_timestamp())
            ORDER BY c.next_attempt_at
            LIMIT $5
            FOR UPDATE OF d SKIP LOCKED
        )
        UPDATE control.webhook_deliveries d
        SET leased_by = $1, leased_until = clock_timestamp() + interval '13 seconds'
        FROM locked l, control.webhooks w
        WHERE d.id = l.id AND w.id = d.webhook_id
        RETURNING d.id, d.event_id, d.body, d.first_attempt_at, d.attempt_count,
            clock_timestamp() + $2::bigint * interval '1 microsecond', d.leased_until, \(Webhook.columns("w"))
        """
    )

    /// A new delivery.
    struct NewDelivery: Sendable {
        let eventID: UUID
        let type: String
        let subjectID: UUID
        let sequence: Int64
        let body: String
    }

    /// Inserts the deliveries of a webhook that do not exist yet.
    func insert(_ new: [NewDelivery], to webhook: Webhook, shift: Duration, _ makeID: () -> UUID) async throws {
        if new.isEmpty { return }
        try await connection.query(
            Self.insert,
            [
                webhook.id, new.map { _ in makeID() }, new.map(\.eventID), new.map(\.type), new.map(\.subjectID),
                new.map(\.sequence), new.map(\.body), shift.wholeMicroseconds,
            ]
        )
    }

    /// Leases attempts that are due.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - limit: The maximum number.
    ///   - webhooks: The webhooks that use up their part of this node's attempts.
    ///   - organizations: The organizations that do.
    ///   - shift: The difference between the time of the schedule and the database's time.
    /// - Returns: The attempts.
    /// - Throws: The database's errors.
    func claim(
        by node: UUID,
        limit: Int,
        without webhooks: [UUID],
        _ organizations: [UUID],
        shift: Duration
    ) async throws -> [LeasedAttempt] {
        try await connection.query(Self.claim, [node, shift.wholeMicroseconds, webhooks, organizations, limit])
            .map { row in
                LeasedAttempt(
                    deliveryID: try row.decode(0),
                    webhook: try Webhook(row: row, from: 7),
                    eventID: try row.decode(1),
                    body: try row.decode(2),
                    firstAttemptAt: try row.optionalTimestamp(3),
                    attemptCount: Int(try row.decode(4, as: Int32.self)),
                    at: try row.timestamp(5),
                    leasedUntil: try row.timestamp(6)
                )
            }
    }
}
