import FoundationEssentials
import Keys
import Postgres

/// A batch of counts as the statements that add it, which are one transaction.
///
/// Rows are locked in the order of their ids, so concurrent flushes of two nodes cannot deadlock.
struct UsageBatch {
    /// A statement with the values of its parameters.
    typealias Addition = (statement: Statement, parameters: [any PostgresEncodable])

    /// A migration without which a database needs other statements.
    enum Migration {
        /// `w0036_minutes_in_hours`.
        case minutesInHours
    }

    /// The statements, at most one for each table.
    let additions: [Addition]

    /// Creates the statements of a batch.
    ///
    /// - Parameters:
    ///   - counts: The counts, one for each secret.
    ///   - migration: A migration that the database lacks. Defaults to none.
    init(_ counts: [UsageCount], before migration: Migration? = nil) {
        var uses = Uses()
        var addresses: [Origin: Timestamp] = [:]
        var minutes: [Minute: Int] = Dictionary(minimumCapacity: counts.count)
        for count in counts {
            if let use = count.lastUse {
                uses.add(use, of: count)
                for address in count.addresses {
                    let origin = Origin(keyID: count.keyID, address: address)
                    addresses[origin] = max(addresses[origin] ?? use.at, use.at)
                }
            }
            count.forEachVerdict { minute, number in
                let hour = Hour(keyID: count.keyID, beginning: minute.beginningOfHour, code: minute.code)
                minutes[Minute(hour: hour, number: minute.isWholeHour ? nil : minute.ofHour), default: 0] += number
            }
        }
        additions = uses.additions + Self.additions(of: addresses) + Self.additions(of: minutes, before: migration)
    }

    // MARK: Last uses

    /// The columns of the last uses.
    private struct Uses {
        private var secrets: [UUID] = []
        private var keys: [UUID] = []
        private var times: [PostgresTimestamp] = []
        private var numbers: [Int64] = []
        /// Empty if the address is not known.
        private var addresses: [String] = []

        mutating func add(_ use: KeyUse, of count: UsageCount) {
            secrets.append(count.secretID)
            keys.append(count.keyID)
            times.append(use.at.element)
            numbers.append(Int64(count.accepted))
            addresses.append(use.address?.description ?? "")
        }

        var additions: [Addition] {
            if secrets.isEmpty { return [] }
            return [(addUses, [secrets, keys, times, numbers, addresses])]
        }
    }

    private static let addUses = Statement(
        """
        INSERT INTO auth.key_usage (secret_id, key_id, last_used_at, verifications, last_used_address)
        SELECT v.secret_id, v.key_id, v.last_used_at, v.verifications, nullif(v.address, '')
        FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::text[])
            v (secret_id, key_id, last_used_at, verifications, address)
        ORDER BY v.secret_id
        ON CONFLICT (secret_id) DO UPDATE
            SET last_used_at = greatest(key_usage.last_used_at, EXCLUDED.last_used_at),
                verifications = key_usage.verifications + EXCLUDED.verifications,
                last_used_address = CASE WHEN EXCLUDED.last_used_at < key_usage.last_used_at
                    THEN coalesce(key_usage.last_used_address, EXCLUDED.last_used_address)
                    ELSE coalesce(EXCLUDED.last_used_address, key_usage.last_used_address) END
        """,
        name: "add uses"
    )

    // MARK: Addresses

    /// The maximum number of addresses of a key, as many as a key can be confined to.
    ///
    /// Concurrent flushes can exceed it by a few.
    static let mostAddresses = 1000

    /// The row of a key and an address.
    private struct Origin: Hashable {
        let keyID: UUID
        let address: IPAddress
    }

    private static func additions(of addresses: [Origin: Timestamp]) -> [Addition] {
        if addresses.isEmpty { return [] }
        let rows = Array(addresses)
        return [
            (addAddresses, [rows.map(\.key.keyID), rows.map(\.key.address.description), rows.map(\.value.element)])
        ]
    }

    /// Writes nothing for an address that has a row of that day already, and adds no address to a key with a thousand of them.
    private static let addAddresses = Statement(
        """
        INSERT INTO auth.key_addresses (key_id, address, day)
        SELECT key_id, address, day FROM (
            SELECT v.*, (SELECT a.day FROM auth.key_addresses a WHERE a.key_id = v.key_id AND a.address = v.address) AS known
            FROM (
                SELECT key_id, address, (at AT TIME ZONE 'UTC')::date AS day
                FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) u (key_id, address, at)
            ) v
        ) v
        WHERE known < day OR known IS NULL AND (
            SELECT count(*) FROM (SELECT FROM auth.key_addresses o WHERE o.key_id = v.key_id LIMIT \(mostAddresses)) o
        ) < \(mostAddresses)
        ORDER BY 1, 2
        ON CONFLICT (key_id, address) DO UPDATE SET day = greatest(key_addresses.day, EXCLUDED.day)
        """,
        name: "add addresses"
    )

    // MARK: Counts

    /// The row of a key, an hour and a verdict.
    private struct Hour: Hashable {
        let keyID: UUID
        let beginning: Timestamp
        let code: VerdictCode
    }

    /// A minute in a row.
    private struct Minute: Hashable {
        let hour: Hour
        /// The number of the minute; `nil` for verifications of which only the hour is known.
        let number: Int64?
    }

    /// The columns of counts, one row for each hour.
    private struct Counts {
        private var keys: [UUID] = []
        private var hours: [PostgresTimestamp] = []
        private var codes: [String] = []
        private var numbers: [Int64] = []

        var parameters: [any PostgresEncodable] { [keys, hours, codes, numbers] }

        mutating func add(_ hour: Hour, _ number: Int) {
            keys.append(hour.keyID)
            hours.append(hour.beginning.element)
            codes.append(hour.code.rawValue)
            numbers.append(Int64(number))
        }
    }

    /// Returns the statement that adds counts, which is one, so that all rows are locked in one order.
    private static func additions(of counts: [Minute: Int], before migration: Migration?) -> [Addition] {
        if counts.isEmpty { return [] }
        var columns = Counts()
        let single = counts.keys.compactMap(\.number)
        if migration == nil, single.count == counts.count, Set(counts.keys.lazy.map(\.hour)).count == counts.count {
            for (minute, number) in counts { columns.add(minute.hour, number) }
            return [(addMinute, columns.parameters + [single])]
        }
        var rows: [Hour: HourSum] = [:]
        for (minute, number) in counts { rows[minute.hour, default: HourSum()].add(number, minute.number) }
        var minutes: [String] = []
        for (hour, row) in rows {
            columns.add(hour, row.sum)
            minutes.append(row.text)
        }
        return migration == nil ? [(addMinutes, columns.parameters + [minutes])] : [(addHours, columns.parameters)]
    }

    /// The counts of an hour.
    private struct HourSum {
        private(set) var sum = 0
        private var minutes: [Int64: Int] = [:]

        mutating func add(_ number: Int, _ minute: Int64?) {
            sum += number
            if let minute { minutes[minute, default: 0] += number }
        }

        /// The array of the minutes, as PostgreSQL reads it, or nothing if none is known.
        var text: String {
            if minutes.isEmpty { return "" }
            return "[0:59]={\((0..<60).map { String(minutes[$0] ?? 0) }.joined(separator: ","))}"
        }
    }

    /// Adds one minute to each row, as nearly all batches do.
    ///
    /// An array of PostgreSQL has any bounds, so an hour with one minute in it has an array of one element.
    private static let addMinute = Statement(
        """
        INSERT INTO auth.key_usage_hourly AS h (key_id, hour, code, count, minutes)
        SELECT v.key_id, v.hour, v.code, v.count, array_fill(v.count::integer, '{1}', ARRAY[v.minute::integer])
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[]) v (key_id, hour, code, count, minute)
        ORDER BY v.key_id, v.hour, v.code COLLATE "C"
        ON CONFLICT (key_id, hour, code) DO UPDATE
            SET count = h.count + EXCLUDED.count,
                minutes[array_lower(EXCLUDED.minutes, 1)]
                    = coalesce(h.minutes[array_lower(EXCLUDED.minutes, 1)], 0) + EXCLUDED.count
        """,
        name: "add usage counts"
    )

    /// Adds several minutes to each row: of a batch at the end of a minute, or of one that waited for its database.
    ///
    /// Some hours of a batch that waited for long have no minutes.
    private static let addMinutes = Statement(
        """
        INSERT INTO auth.key_usage_hourly AS h (key_id, hour, code, count, minutes)
        SELECT v.key_id, v.hour, v.code, v.count, nullif(v.minutes, '')::integer[]
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::text[]) v (key_id, hour, code, count, minutes)
        ORDER BY v.key_id, v.hour, v.code COLLATE "C"
        ON CONFLICT (key_id, hour, code) DO UPDATE
            SET count = h.count + EXCLUDED.count,
                minutes = CASE WHEN EXCLUDED.minutes IS NULL THEN h.minutes ELSE (
                    SELECT ('[0:59]=' || array_agg(coalesce(h.minutes[n], 0) + EXCLUDED.minutes[n] ORDER BY n)::text)::integer[]
                    FROM generate_series(0, 59) n) END
        """,
        name: "add usage counts"
    )

    /// Adds to hours that have no minutes.
    private static let addHours = Statement(
        """
        INSERT INTO auth.key_usage_hourly AS h (key_id, hour, code, count)
        SELECT v.key_id, v.hour, v.code, v.count
        FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[]) v (key_id, hour, code, count)
        ORDER BY v.key_id, v.hour, v.code COLLATE "C"
        ON CONFLICT (key_id, hour, code) DO UPDATE SET count = h.count + EXCLUDED.count
        """,
        name: "add usage counts"
    )
}

extension Timestamp {
    /// The instant as an element of an array.
    fileprivate var element: PostgresTimestamp {
        PostgresTimestamp(microsecondsSinceUnixEpoch: microsecondsSinceUnixEpoch)
    }
}
