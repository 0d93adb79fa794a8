package import FoundationEssentials
import KeyStore
package import Keys
package import Postgres

/// The reports of leaked tokens that are to be repeated, over one connection to the control database.
package struct PendingLeaks: Sendable {
    private let connection: PostgresConnection

    /// The number of reports from which no further one is kept.
    ///
    /// Reports that are kept at the same moment can exceed it by their own number.
    package static let limit = 100_000
    /// The number of reports of one database from which no further one is kept.
    ///
    /// While a database is unreachable, a stranger can fill its part with texts that are formed like its tokens.
    package static let limitOfDatabase = 10_000
    /// The maximum number of reports that are repeated in one lease.
    package static let batch = 100
    /// The time of a lease.
    ///
    /// A node that dies is replaced after it.
    package static let lease = Duration.seconds(20)

    /// Creates the reports over a connection to the control database.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    // MARK: Keeping

    private static let counts = Statement(
        """
        SELECT
            (SELECT count(*) FROM control.pending_leaks),
            coalesce((
                SELECT max(c.n) FROM (
                    SELECT count(*) AS n FROM control.pending_leaks WHERE workspace_ref = ANY ($1) GROUP BY workspace_ref
                ) c
            ), 0)
        """
    )

    /// The databases are inserted in one order, so two reports of the same ones cannot deadlock.
    private static let keep = Statement(
        """
        WITH new AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[])
                AS n (id, workspace_ref, digests, source, url, address, request_id)
        ), place AS (
            INSERT INTO control.leak_databases AS d (workspace_ref, due_at)
            SELECT DISTINCT workspace_ref, statement_timestamp() + interval '1 second' FROM new ORDER BY workspace_ref
            ON CONFLICT (workspace_ref) DO UPDATE
            SET revision = d.revision + 1, due_at = least(d.due_at, EXCLUDED.due_at)
        )
        INSERT INTO control.pending_leaks (id, workspace_ref, digests, source, url, address, request_id)
        SELECT id, workspace_ref, digests, source, nullif(url, ''), nullif(address, ''), nullif(request_id, '') FROM new
        ON CONFLICT DO NOTHING
        """
    )

    /// Keeps reports to be repeated.
    ///
    /// A token that is kept already stays as it is. Without a report, the database is asked to keep none: whoever answers a report knows
    /// then in any case that the database takes changes.
    ///
    /// - Parameters:
    ///   - leaks: The reports.
    ///   - makeID: Returns the id of a report.
    /// - Returns: False if there is no room for the reports. Nothing was kept then.
    /// - Throws: The database's errors.
    package func keep(_ leaks: [Leak], _ makeID: () -> UUID) async throws(PostgresError) -> Bool {
        if !leaks.isEmpty {
            let places = Array(Set(leaks.map(\.ref.text)))
            let row = try await connection.query(Self.counts, [places]).first.orMissing()
            let (all, most): (Int64, Int64) = (try row.decode(0), try row.decode(1))
            guard all < Self.limit, most < Self.limitOfDatabase else { return false }
        }
        let ids: [UUID] = leaks.map { _ in makeID() }
        let refs: [String] = leaks.map(\.ref.text)
        let digests: [[UInt8]] = leaks.map { $0.digests.flatMap(\.bytes) }
        let sources: [String] = leaks.map(\.source.rawValue)
        let urls: [String] = leaks.map { $0.url ?? "" }
        let addresses: [String] = leaks.map { $0.address ?? "" }
        let requests: [String] = leaks.map { $0.requestID ?? "" }
        try await connection.query(Self.keep, [ids, refs, digests, sources, urls, addresses, requests])
        return true
    }

    // MARK: Repeating

    /// A database with reports that this node has leased.
    package struct Database: Sendable {
        /// The workspace in the tokens.
        package let ref: WorkspaceRef
        /// The number of attempts in a row that failed.
        package let failureCount: Int
        fileprivate let revision: Int64
    }

    /// A report that is to be repeated.
    package struct Entry: Sendable {
        /// The report's id.
        package let id: UUID
        /// The report.
        package let leak: Leak
    }

    private static let claim = Statement(
        """
        WITH locked AS (
            SELECT workspace_ref FROM control.leak_databases
            WHERE due_at <= statement_timestamp() AND (leased_until IS NULL OR leased_until < statement_timestamp())
              AND workspace_ref <> ALL ($2)
            ORDER BY due_at LIMIT $3
            FOR UPDATE SKIP LOCKED
        )
        UPDATE control.leak_databases d
        SET leased_by = $1, leased_until = clock_timestamp() + $4::bigint * interval '1 microsecond'
        FROM locked l WHERE d.workspace_ref = l.workspace_ref
        RETURNING d.workspace_ref, d.failure_count, d.revision
        """
    )
    private static let entries = Statement(
        """
        SELECT id, workspace_ref, digests, source, url, address, request_id FROM control.pending_leaks
        WHERE workspace_ref = $1 ORDER BY attempt_count, reported_at, id LIMIT $2
        """
    )
    private static let remove = Statement("DELETE FROM control.pending_leaks WHERE id = ANY ($1)")
    private static let noteFailures = Statement(
        "UPDATE control.pending_leaks SET attempt_count = attempt_count + 1 WHERE id = ANY ($1)"
    )
    /// A report of the meantime has another revision, and keeps the row.
    private static let removeDatabase = Statement(
        """
        DELETE FROM control.leak_databases d
        WHERE d.workspace_ref = $1 AND d.leased_by = $2 AND d.revision = $3
          AND NOT EXISTS (SELECT FROM control.pending_leaks p WHERE p.workspace_ref = d.workspace_ref)
        """
    )
    private static let release = Statement(
        """
        UPDATE control.leak_databases
        SET leased_by = NULL, leased_until = NULL, failure_count = $3,
            due_at = clock_timestamp() + $4::bigint * interval '1 microsecond'
        WHERE workspace_ref = $1 AND leased_by = $2
        """
    )
    private static let count = Statement("SELECT count(*) FROM control.pending_leaks")

    /// Leases databases whose reports are due.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - refs: The databases whose reports this node repeats already.
    ///   - limit: The maximum number of databases.
    /// - Returns: The databases.
    /// - Throws: The database's errors.
    package func claim(
        by node: UUID,
        except refs: Set<WorkspaceRef>,
        limit: Int
    ) async throws(PostgresError) -> [Database] {
        var databases: [Database] = []
        let parameters: [any PostgresEncodable] = [node, refs.map(\.text), limit, Self.lease.wholeMicroseconds]
        for row in try await connection.query(Self.claim, parameters) {
            databases.append(
                Database(
                    ref: try row.workspaceRef(0),
                    failureCount: Int(try row.decode(1, as: Int32.self)),
                    revision: try row.decode(2)
                )
            )
        }
        return databases
    }

    /// Returns reports of a database, those that have failed least first.
    ///
    /// - Throws: The database's errors.
    package func entries(of ref: WorkspaceRef) async throws(PostgresError) -> [Entry] {
        var entries: [Entry] = []
        for row in try await connection.query(Self.entries, [ref.text, Self.batch]) {
            let leak = Leak(
                ref: try row.workspaceRef(1),
                digests: try row.digests(2),
                url: try row.decode(4),
                source: try row.word(3),
                address: try row.decode(5),
                requestID: try row.decode(6)
            )
            entries.append(Entry(id: try row.decode(0), leak: leak))
        }
        return entries
    }

    /// Records an attempt, and ends the lease of its database.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - node: The node that has the lease.
    ///   - done: The reports whose keys have been handled, or are gone.
    ///   - failed: The reports that failed.
    ///   - failures: The number of attempts in a row that failed.
    ///   - pause: The time to the next attempt, unless no report is left.
    /// - Throws: The database's errors.
    package func finish(
        _ database: Database,
        by node: UUID,
        done: [UUID],
        failed: [UUID],
        failures: Int,
        pause: Duration
    ) async throws(PostgresError) {
        if !done.isEmpty { try await connection.query(Self.remove, [done]) }
        if !failed.isEmpty { try await connection.query(Self.noteFailures, [failed]) }
        let ref = database.ref.text
        let removed = try await connection.query(Self.removeDatabase, [ref, node, database.revision]).affectedRows
        if removed > 0 { return }
        try await connection.query(Self.release, [ref, node, Int32(clamping: failures), pause.wholeMicroseconds])
    }

    /// Returns the number of reports that wait.
    ///
    /// - Throws: The database's errors.
    package func count() async throws(PostgresError) -> Int {
        let row = try await connection.query(Self.count).first.orMissing()
        return Int(try row.decode(0, as: Int64.self))
    }
}

extension Row {
    fileprivate func workspaceRef(_ column: Int) throws(PostgresError) -> WorkspaceRef {
        guard let ref = WorkspaceRef(try decode(column)) else {
            throw PostgresError(.decoding, "a column holds no workspace reference")
        }
        return ref
    }

    fileprivate func digests(_ column: Int) throws(PostgresError) -> [Digest] {
        let bytes: [UInt8] = try decode(column)
        return stride(from: 0, to: bytes.count, by: Digest.byteCount)
            .compactMap { Digest(bytes: Array(bytes[$0..<min($0 + Digest.byteCount, bytes.count)])) }
    }
}
