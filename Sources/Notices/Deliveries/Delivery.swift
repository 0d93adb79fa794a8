package import FoundationEssentials
import KeyStore
package import Keys
import Postgres

/// A delivery: an event that a webhook is told of, with the attempts so far.
package struct Delivery: Sendable {
    /// The delivery's id.
    package let id: UUID
    /// The event.
    package let eventID: UUID
    /// The event's type for receivers.
    package let type: String
    /// The time of the next attempt; `nil` after the last attempt.
    package let nextAttemptAt: Timestamp?
    /// The time at which the delivery was written.
    package let createdAt: Timestamp
    /// The attempts, the first one first.
    package var attempts: [Attempt] = []

    /// The columns that `init(row:)` reads, in its order.
    static let columns = "d.id, d.event_id, d.type, d.next_attempt_at, d.created_at"

    init(row: Row) throws(PostgresError) {
        id = try row.decode(0)
        eventID = try row.decode(1)
        type = try row.decode(2)
        nextAttemptAt = try row.optionalTimestamp(3)
        createdAt = try row.timestamp(4)
    }

    /// One attempt.
    package struct Attempt: Sendable {
        /// The beginning.
        package let at: Timestamp
        /// The duration in milliseconds.
        package let milliseconds: Int
        /// The status of the answer; `nil` without an answer.
        package let statusCode: Int?
        /// The first KiB of the answer.
        package let response: String?
        /// The reason for which the attempt failed without an answer that says so.
        package let error: String?
    }
}
