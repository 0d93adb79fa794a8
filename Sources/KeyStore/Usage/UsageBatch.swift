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

    /// The statements, at most one for each table, but one for each minute that the counts of a key have in one hour.
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
                minutes[Minute(hour: hour, number: minute.ofHour), default: 0] += number
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
        let number: Int64
    }

    /// The columns of counts.
    private struct Counts {
        private var keys: [UUID] = []
        private var hours: [PostgresTimestamp] = []
        private var codes: [String] = []
        private var numbers: [Int64] = []
        private var minutes: [Int64] = []

        mutating func add(_ number: Int, in minute: Minute) {
            keys.append(minute.hour.keyID)
            hours.append(minute.hour.beginning.element)
            codes.append(minute.hour.code.rawValue)
            numbers.append(Int64(number))
            minutes.append(minute.number)
        }

        func addition(before migration: Migration?) -> Addition {
            let statement = migration == .minutesInHours ? addCountsToTwoTables : addCounts
            return (statement, [keys, hours, codes, numbers, minutes])
        }
    }

    /// Returns the statements that add counts.
    ///
    /// A statement can change a row once, so further minutes of a row have statements of their own. The first statement locks all rows.
    private static func additions(of counts: [Minute: Int], before migration: Migration?) -> [Addition] {
        var statements: [Counts] = []
        var next: [Hour: Int] = Dictionary(minimumCapacity: counts.count)
        for (minute, number) in counts {
            let index = next[minute.hour, default: 0]
            next[minute.hour] = index + 1
            if index == statements.count { statements.append(Counts()) }
            statements[index].add(number, in: minute)
        }
        return statements.map { $0.addition(before: migration) }
    }

    /// An array of PostgreSQL has any bounds, so an hour with one minute in it has an array of one element.
    private static let addCounts = Statement(
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

    /// Before that migration, a table of its own had the minutes.
    private static let addCountsToTwoTables = Statement(
        """
        WITH counts AS MATERIALIZED (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::bigint[])
                v (key_id, hour, code, count, minute)
            ORDER BY key_id, hour, code COLLATE "C"
        ), minutes AS (
            INSERT INTO auth.key_usage_minutes (key_id, minute, code, count)
            SELECT key_id, hour + minute * interval '1 minute', code, count FROM counts
            ON CONFLICT (key_id, minute, code) DO UPDATE SET count = key_usage_minutes.count + EXCLUDED.count
        )
        INSERT INTO auth.key_usage_hourly (key_id, hour, code, count) SELECT key_id, hour, code, count FROM counts
        ON CONFLICT (key_id, hour, code) DO UPDATE SET count = key_usage_hourly.count + EXCLUDED.count
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
