package import Keys
package import Postgres

/// The number of reports of leaked tokens, by address and hour, over all nodes.
package struct LeakReports: Sendable {
    private let connection: PostgresConnection

    /// The maximum number of reports from an address in an hour.
    package static let limit = 60

    /// Creates the counts over a connection to the control database.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let admit = Statement(
        """
        INSERT INTO control.leak_reports AS r (address, hour, count)
        VALUES ($1, date_trunc('hour', clock_timestamp(), 'UTC'), 1)
        ON CONFLICT (address, hour) DO UPDATE SET count = r.count + 1 WHERE r.count < $2
        RETURNING r.count
        """
    )

    private static let rest = Statement(
        """
        SELECT ceil(extract(epoch FROM
            date_trunc('hour', clock_timestamp(), 'UTC') + interval '1 hour' - clock_timestamp()))::integer
        """
    )

    private static let deleteOld = Statement(
        "DELETE FROM control.leak_reports WHERE hour < clock_timestamp() - interval '2 hours'"
    )

    /// Counts a report.
    ///
    /// - Parameter address: The client's address. All clients without a known address count together.
    /// - Returns: `nil` if the report is admitted, otherwise the seconds after which reports are admitted again.
    /// - Throws: The database's errors.
    package func admit(_ address: IPAddress?) async throws(PostgresError) -> Int? {
        let rows = try await connection.query(Self.admit, [Self.name(of: address), Int32(Self.limit)])
        if !rows.isEmpty { return nil }
        let seconds = try await connection.query(Self.rest).first?.decode(0, as: Int32.self)
        return max(1, Int(seconds ?? 1))
    }

    /// Deletes the counts of hours that are over.
    ///
    /// - Throws: The database's errors.
    package func deleteOld() async throws(PostgresError) {
        try await connection.query(Self.deleteOld)
    }

    /// Returns the text under which an address is counted.
    ///
    /// One client usually has all addresses of an IPv6 /64 (RFC 6177).
    private static func name(of address: IPAddress?) -> String {
        guard let address else { return "unknown" }
        return switch address {
        case .v4: "\(address)"
        case .v6: "\(address.network(prefixLength: 64))"
        }
    }
}
