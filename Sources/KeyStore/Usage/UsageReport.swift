import FoundationEssentials
import Keys
import Postgres

extension UsageStore {
    /// Returns a page of a usage report, in the order of time, with one row more than the page if another page follows.
    ///
    /// A step without a use has no row.
    ///
    /// - Throws: ``UsageRangeFault``, or the database's errors.
    public func report(_ request: UsageRequest) async throws -> [UsageRow] {
        let now = try await connection.query(Self.time).first.orMissing().timestamp(0)
        let (since, until) = try request.interval(at: now)
        var parameters: [any PostgresEncodable] = [
            // Earlier steps are on earlier pages.
            max(since, request.cursor?.start ?? since).stored, until.stored, request.cursor?.start.stored,
            request.cursor?.code, request.cursor?.keyID, request.limit + 1,
        ]
        if let key = request.keyID { parameters.append(key) }
        return try await connection.query(Self.report(request), parameters).map(UsageRow.init(row:))
    }

    private static let time = Statement("SELECT clock_timestamp()")

    /// The form of a report, which has a statement of its own.
    private struct Form: Hashable {
        let step: UsageRequest.Step
        let grouping: UsageRequest.Grouping
        let isOfKey: Bool
    }

    private static let reports: [Form: Statement] = {
        var statements: [Form: Statement] = [:]
        for step in UsageRequest.Step.allCases {
            for grouping in UsageRequest.Grouping.allCases {
                for isOfKey in [false, true] {
                    let form = Form(step: step, grouping: grouping, isOfKey: isOfKey)
                    statements[form] = Statement(sql(form), name: "usage report")
                }
            }
        }
        return statements
    }()

    private static func report(_ request: UsageRequest) -> Statement {
        let form = Form(step: request.step, grouping: request.grouping, isOfKey: request.keyID != nil)
        // The table above has all forms.
        return reports[form] ?? Statement(sql(form), prepared: false)
    }

    private static let hours = "auth.key_usage_hourly WHERE hour >= $1 AND hour < $2"

    /// A minute between two others of its hour has NULL if it has no count.
    private static let minutes = """
        (SELECT h.key_id, h.code, h.hour, h.hour + n * interval '1 minute' AS minute, h.minutes[n] AS count
            FROM auth.key_usage_hourly h CROSS JOIN LATERAL generate_subscripts(h.minutes, 1) n) m
        WHERE hour >= date_trunc('hour', $1::timestamptz, 'UTC') AND hour < $2 AND minute >= $1 AND minute < $2 AND count > 0
        """

    private static func sql(_ form: Form) -> String {
        let (start, source) =
            switch form.step {
            case .minute: ("minute", minutes)
            case .hour: ("hour", hours)
            case .day: ("date_trunc('day', hour, 'UTC')", hours)
            }
        let byCode = form.grouping == .code || form.grouping == .codeAndKey
        let byKey = form.grouping == .key || form.grouping == .codeAndKey
        return """
            SELECT start, code, key_id, sum(count)::bigint FROM (
                SELECT \(start) AS start, \(byCode ? "code" : "NULL::text AS code"), \
            \(byKey ? "key_id" : "NULL::uuid AS key_id"), count
                FROM \(source)\(form.isOfKey ? " AND key_id = $7" : "")
            ) u
            WHERE $3::timestamptz IS NULL OR (start, coalesce(code, '') COLLATE "C", \
            coalesce(key_id, '00000000-0000-0000-0000-000000000000')) > ($3, $4::text COLLATE "C", $5::uuid)
            GROUP BY start, code, key_id
            ORDER BY start, code COLLATE "C", key_id
            LIMIT $6
            """
    }
}

extension UsageRow {
    init(row: Row) throws(PostgresError) {
        start = try row.timestamp(0)
        code = try row.decode(1)
        keyID = try row.decode(2)
        count = try row.decode(3)
    }
}
