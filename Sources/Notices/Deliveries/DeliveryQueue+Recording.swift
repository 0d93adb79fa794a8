import FoundationEssentials
import KeyStore
import Keys
import Postgres

/// An attempt that has ended.
struct EndedAttempt: Sendable {
    /// The attempt.
    let attempt: LeasedAttempt
    /// The outcome.
    let outcome: AttemptOutcome
    /// The time of the next attempt, which is later than the attempt; `nil` if this was the last one.
    let next: Timestamp?
}

/// The outcome of recording a batch of attempts.
struct RecordedAttempts: Sendable {
    /// For each webhook that fails, the time since which it has had nothing but failures.
    var failing: [UUID: Timestamp] = [:]
    /// The webhooks of which no attempt was recorded, because somebody else changes them at the moment.
    var busy: Set<UUID> = []
}

extension DeliveryQueue {
    /// A lease that has ended since, or that somebody else has taken over, keeps the row as it is, and so does a webhook that was deleted.
    ///
    /// The webhooks are locked before the deliveries, as the deletion of a webhook does. A webhook that is locked is left out and reported,
    /// because a wait for it would hold up the attempts of everybody else in the batch. PostgreSQL does not merge a `SELECT … FOR UPDATE`
    /// of a `WITH` into the statement, and such a `SELECT` returns the newest version of a row.
    ///
    /// Batches come in any order. So a failure counts if its attempt began after the last success began, whatever was recorded first. A
    /// success that is recorded late can end failures that began after it, within the time of an attempt. The next failure begins again.
    private static let record = Statement(
        """
        WITH ended AS (
            SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::text[], $11::text[])
            AS e (delivery_id, webhook_id, leased_until, at, next_attempt_at, duration_ms, success, status_code, response, error)
        ), webhook AS (
            SELECT id, last_delivery_at FROM control.webhooks
            WHERE id IN (SELECT webhook_id FROM ended) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        ), busy AS (
            SELECT w.id FROM control.webhooks w
            WHERE w.id IN (SELECT webhook_id FROM ended) AND w.deleted_at IS NULL AND w.id NOT IN (SELECT id FROM webhook)
        ), done AS (
            UPDATE control.webhook_deliveries d
            SET attempt_count = d.attempt_count + 1, first_attempt_at = coalesce(d.first_attempt_at, e.at),
                next_attempt_at = nullif(e.next_attempt_at, e.at), leased_by = NULL, leased_until = NULL
            FROM ended e JOIN webhook ON webhook.id = e.webhook_id
            WHERE d.id = e.delivery_id AND d.webhook_id = e.webhook_id AND d.leased_by = $1 AND d.leased_until = e.leased_until
            RETURNING d.attempt_count, e.*, webhook.last_delivery_at
        ), attempt AS (
            INSERT INTO control.webhook_attempts (delivery_id, number, at, duration_ms, status_code, response, error)
            SELECT delivery_id, attempt_count, at, duration_ms, nullif(status_code, -1),
                CASE WHEN status_code >= 0 THEN response END, nullif(error, '')
            FROM done
        ), latest AS (
            SELECT webhook_id, succeeded_at,
                min(at) FILTER (WHERE success = 0 AND (succeeded_at IS NULL OR at > succeeded_at)) AS failed_at
            FROM (
                SELECT webhook_id, success, at,
                    greatest(last_delivery_at, max(at) FILTER (WHERE success = 1) OVER (PARTITION BY webhook_id)) AS succeeded_at
                FROM done
            ) d
            GROUP BY webhook_id, succeeded_at
        ), changed AS (
            UPDATE control.webhooks w SET last_delivery_at = l.succeeded_at,
                failing_since = least(
                    CASE WHEN l.succeeded_at IS NULL OR w.failing_since > l.succeeded_at THEN w.failing_since END, l.failed_at
                )
            FROM latest l WHERE w.id = l.webhook_id
            RETURNING w.id, w.failing_since
        )
        SELECT id, failing_since, false FROM changed UNION ALL SELECT id, NULL, true FROM busy
        """
    )

    /// Records attempts that have ended, and ends their leases.
    ///
    /// A repetition records nothing twice, because the leases have ended.
    ///
    /// - Parameters:
    ///   - attempts: The attempts.
    ///   - node: The node that made them.
    /// - Returns: The webhooks that fail, and those of which nothing was recorded.
    /// - Throws: The database's errors.
    func record(_ attempts: [EndedAttempt], by node: UUID) async throws -> RecordedAttempts {
        var recorded = RecordedAttempts()
        if attempts.isEmpty { return recorded }
        let deliveries: [UUID] = attempts.map(\.attempt.deliveryID)
        let webhooks: [UUID] = attempts.map(\.attempt.webhook.id)
        let leases: [PostgresTimestamp] = attempts.map { Self.stored($0.attempt.leasedUntil) }
        let times: [PostgresTimestamp] = attempts.map { Self.stored($0.attempt.at) }
        // An array has no NULL: the time of the attempt itself stands for no further attempt, -1 for no answer, an empty text for no error.
        let nextTimes: [PostgresTimestamp] = attempts.map { Self.stored($0.next ?? $0.attempt.at) }
        let durations: [Int64] = attempts.map { Int64(Int32(clamping: $0.outcome.milliseconds)) }
        let successes: [Int64] = attempts.map { $0.outcome.isSuccess ? 1 : 0 }
        let statuses: [Int64] = attempts.map { Int64($0.outcome.statusCode ?? -1) }
        let responses: [String] = attempts.map { $0.outcome.response ?? "" }
        let errors: [String] = attempts.map { $0.outcome.error ?? "" }
        let rows = try await connection.query(
            Self.record,
            [
                node, deliveries, webhooks, leases, times, nextTimes, durations, successes, statuses, responses, errors,
            ]
        )
        for row in rows {
            let webhook: UUID = try row.decode(0)
            if try row.decode(2, as: Bool.self) {
                recorded.busy.insert(webhook)
            } else {
                recorded.failing[webhook] = try row.optionalTimestamp(1)
            }
        }
        return recorded
    }

    private static func stored(_ time: Timestamp) -> PostgresTimestamp {
        PostgresTimestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch)
    }
}
