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

    /// The deliveries are inserted in one order, so two nodes that insert the same ones cannot deadlock.
    ///
    /// A webhook that was deleted meanwhile gets none. A delivery that is refused has no attempt to wait for. Its first attempt is a record
    /// of the reason, so that a later event of the same subject does not wait for it.
    private static let insert = Statement(
        """
        WITH new AS (
            INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body, next_attempt_at,
                first_attempt_at, attempt_count)
            SELECT n.id, w.id, e.event_id, e.type, e.subject_id, e.sequence, e.body,
                CASE WHEN n.refused = 0 THEN statement_timestamp() + $11::bigint * interval '1 microsecond' END,
                CASE WHEN n.refused = 1 THEN statement_timestamp() + $11::bigint * interval '1 microsecond' END, n.refused::integer
            FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS n (id, webhook_id, place, refused)
            JOIN unnest($5::uuid[], $6::text[], $7::uuid[], $8::bigint[], $9::text[])
                WITH ORDINALITY AS e (event_id, type, subject_id, sequence, body, place) ON e.place = n.place
            JOIN control.webhooks w ON w.id = n.webhook_id AND w.deleted_at IS NULL
            ORDER BY w.id, e.sequence
            ON CONFLICT (webhook_id, event_id) DO NOTHING
            RETURNING id, first_attempt_at
        )
        INSERT INTO control.webhook_attempts (delivery_id, number, at, duration_ms, error)
        SELECT id, 1, first_attempt_at, 0, $10 FROM new WHERE first_attempt_at IS NOT NULL
        """
    )

    /// The partial index of deliveries that wait answers it.
    private static let waiting = Statement(
        """
        SELECT w.id, (
            SELECT count(*) FROM (
                SELECT FROM control.webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL LIMIT $2
            ) d
        )
        FROM unnest($1::uuid[]) AS w (id)
        """
    )

    /// Each webhook and each organization has a limited part of the attempts, so a slow receiver holds up nobody else.
    ///
    /// The numbers are those of ``AttemptShares``. Attempts at slow webhooks are counted apart from the others. Organizations take turns,
    /// and so do the webhooks of an organization, so a long queue has no advantage. The first attempt for an event waits for the first
    /// attempts for the events of the same subject before it. The lease is longer than an attempt, and short enough that a dead node is
    /// replaced within 15 s.
    ///
    /// Of each webhook, the oldest due deliveries are considered, twice as many as it can get and 64 more. A key with very many events at a
    /// receiver that does not answer would otherwise make each claim, also those for others, read all of them. The deliveries of a subject
    /// become due in their order. So while none of them is leased, its first one is among the considered ones.
    ///
    /// `statement_timestamp()` bounds the scan of an index. `clock_timestamp()` is volatile and cannot: each claim would read every
    /// delivery that waits, also those of a dead receiver that are due in hours.
    ///
    /// PostgreSQL checks the conditions of `locked` again on the newest version of a row. The due time is one of them, because another
    /// node can have made the attempt since the statement began.
    ///
    /// A webhook that was deleted is disabled, too.
    private static let claim = Statement(
        """
        WITH due AS (
            SELECT w.organization_id, w.failing_since IS NOT NULL OR coalesce(u.slow, 0) = 1 AS is_slow, d.*
            FROM control.webhooks w
            LEFT JOIN unnest($3::uuid[], $4::bigint[], $5::bigint[]) AS u (id, rest, slow) ON u.id = w.id
            CROSS JOIN LATERAL (
                SELECT coalesce(u.rest, CASE WHEN w.failing_since IS NULL THEN \(AttemptSlots.perWebhook)
                    ELSE \(AttemptSlots.perFailingWebhook) END) AS rest
            ) r
            CROSS JOIN LATERAL (
                SELECT d.id, d.next_attempt_at, d.sequence, row_number() OVER (ORDER BY d.next_attempt_at, d.sequence) AS turn
                FROM (
                    SELECT * FROM control.webhook_deliveries d
                    WHERE d.webhook_id = w.id
                      AND d.next_attempt_at <= statement_timestamp() + $2::bigint * interval '1 microsecond'
                      AND (d.leased_until IS NULL OR d.leased_until < statement_timestamp())
                    ORDER BY d.next_attempt_at, d.sequence
                    LIMIT 64 + 2 * r.rest
                ) d
                WHERE d.first_attempt_at IS NOT NULL OR d.sequence = (
                    SELECT min(e.sequence) FROM control.webhook_deliveries e
                    WHERE e.webhook_id = d.webhook_id AND e.subject_id = d.subject_id AND e.first_attempt_at IS NULL
                )
                ORDER BY d.next_attempt_at, d.sequence
                LIMIT r.rest
            ) d
            WHERE w.disabled_at IS NULL AND r.rest > 0
        ), candidates AS (
            SELECT d.id, d.next_attempt_at, d.sequence, d.is_slow, row_number() OVER (
                PARTITION BY d.organization_id, d.is_slow ORDER BY d.turn, d.next_attempt_at, d.sequence
            ) AS turn, CASE WHEN d.is_slow THEN coalesce(o.slow, $10::bigint) ELSE coalesce(o.quick, $9::bigint) END AS part
            FROM due d LEFT JOIN unnest($6::uuid[], $7::bigint[], $8::bigint[]) AS o (id, quick, slow) ON o.id = d.organization_id
        ), chosen AS (
            SELECT id, next_attempt_at, is_slow, row_number() OVER (
                PARTITION BY is_slow ORDER BY turn, next_attempt_at, sequence
            ) AS place
            FROM candidates WHERE turn <= part
        ), locked AS (
            SELECT d.id FROM control.webhook_deliveries d JOIN chosen c ON c.id = d.id
            WHERE c.place <= CASE WHEN c.is_slow THEN $12::bigint ELSE $11::bigint END AND d.next_attempt_at = c.next_attempt_at
              AND (d.leased_until IS NULL OR d.leased_until < statement_timestamp())
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

    /// An event with the webhooks that are told of it.
    struct NewEvent: Sendable {
        let eventID: UUID
        let type: String
        let subjectID: UUID
        let sequence: Int64
        let body: String
        /// The webhooks that get the event.
        let webhooks: [UUID]
        /// The webhooks that have no room for a further delivery.
        let refusing: [UUID]
    }

    /// Inserts the deliveries of events that do not exist yet, in one statement.
    ///
    /// - Parameters:
    ///   - events: The events.
    ///   - refusal: The reason for which a webhook does not get an event.
    ///   - shift: The difference between the time of the schedule and the database's time.
    ///   - makeID: Returns the id of a delivery.
    /// - Returns: The number of refused deliveries.
    /// - Throws: The database's errors.
    func insert(_ events: [NewEvent], refusal: String, shift: Duration, _ makeID: () -> UUID) async throws -> Int {
        var ids: [UUID] = []
        var webhooks: [UUID] = []
        var places: [Int64] = []
        var refused: [Int64] = []
        for (index, event) in events.enumerated() {
            for (group, flag) in [(event.webhooks, 0), (event.refusing, 1)] as [([UUID], Int64)] {
                for webhook in group {
                    ids.append(makeID())
                    webhooks.append(webhook)
                    places.append(Int64(index + 1))
                    refused.append(flag)
                }
            }
        }
        if ids.isEmpty { return 0 }
        let (eventIDs, subjects) = (events.map(\.eventID), events.map(\.subjectID))
        let (types, bodies) = (events.map(\.type), events.map(\.body))
        let sequences = events.map(\.sequence)
        return
            try await connection.query(
                Self.insert,
                [
                    ids, webhooks, places, refused, eventIDs, types, subjects, sequences, bodies, refusal,
                    shift.wholeMicroseconds,
                ]
            )
            .affectedRows
    }

    /// Returns the numbers of deliveries that wait for their next attempt.
    ///
    /// - Parameters:
    ///   - webhooks: The webhooks.
    ///   - limit: The number from which deliveries are not counted any more.
    /// - Returns: The number of each webhook.
    /// - Throws: The database's errors.
    func waiting(of webhooks: [UUID], upTo limit: Int) async throws -> [UUID: Int] {
        var numbers: [UUID: Int] = [:]
        for row in try await connection.query(Self.waiting, [webhooks, limit]) {
            let id: UUID = try row.decode(0)
            numbers[id] = Int(try row.decode(1, as: Int64.self))
        }
        return numbers
    }

    /// Leases attempts that are due.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - shares: The numbers of attempts.
    ///   - shift: The difference between the time of the schedule and the database's time.
    /// - Returns: The attempts.
    /// - Throws: The database's errors.
    func claim(by node: UUID, _ shares: AttemptShares, shift: Duration) async throws -> [LeasedAttempt] {
        let webhooks = Array(shares.webhooks)
        let webhookIDs: [UUID] = webhooks.map(\.key)
        let rests: [Int64] = webhooks.map { Int64($0.value.rest) }
        let areSlow: [Int64] = webhooks.map { $0.value.isSlow ? 1 : 0 }
        let organizations = Array(shares.organizations)
        let organizationIDs: [UUID] = organizations.map(\.key)
        let quick: [Int64] = organizations.map { Int64($0.value.quick) }
        let slow: [Int64] = organizations.map { Int64($0.value.slow) }
        let rows = try await connection.query(
            Self.claim,
            [
                node, shift.wholeMicroseconds, webhookIDs, rests, areSlow, organizationIDs, quick, slow,
                shares.quickPerOrganization, shares.slowPerOrganization, shares.quick, shares.slow,
            ]
        )
        return try rows.map { row in
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
