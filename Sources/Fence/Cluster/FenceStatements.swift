import FoundationEssentials
import Postgres

/// The statements of the cluster's database.
///
/// Each is a transaction of its own, so a process that stops holds no lock there.
enum FenceStatements {
    /// The channel on which changes notify the nodes.
    static let channel = "fence"

    static let timeline = Statement(
        """
        SELECT c.system_identifier, c.timeline, t.system_identifier, t.timeline
        FROM fence.current_timeline() c LEFT JOIN fence.timeline t ON true
        """,
        name: "read timeline"
    )
    static let renew = Statement(
        // The nodes that share limits are those that have renewed lately. No rule of the fences depends on their number.
        """
        SELECT is_granted, fence_id, workspace_id, key_ids,
               (SELECT count(*) FROM fence.leases WHERE node_id <> $1 AND renewed_at > now() - interval '10 seconds')
        FROM fence.renew_lease($1, $2)
        """,
        name: "renew lease"
    )
    static let leave = Statement("DELETE FROM fence.leases WHERE node_id = $1", name: "delete lease")
    static let forget = Statement("DELETE FROM fence.nodes WHERE node_id = $1", name: "delete node")
    /// Also deletes the descriptions of nodes that ended long ago without leaving.
    static let describe = Statement(
        """
        WITH ended AS (
            DELETE FROM fence.nodes n WHERE n.described_at < now() - interval '1 day' AND n.node_id <> $1
                AND NOT EXISTS (SELECT FROM fence.leases l WHERE l.node_id = n.node_id))
        INSERT INTO fence.nodes (node_id, host, process_id, version, peppers) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (node_id) DO UPDATE SET described_at = now()
        """,
        name: "describe node"
    )
    /// The peppers of the other nodes.
    ///
    /// One that starts has no lease yet. The rows of a node that was killed stay, and must not count for ever.
    static let peppers = Statement(
        """
        SELECT n.peppers FROM fence.nodes n LEFT JOIN fence.leases l ON l.node_id = n.node_id
        WHERE n.node_id <> $1 AND coalesce(l.renewed_at, n.described_at) > now() - interval '60 seconds'
        """,
        name: "read peppers"
    )
    static let insert = Statement(
        """
        SELECT system_identifier, timeline, recorded_system_identifier, recorded_timeline
        FROM fence.insert_fence_of_change($1, $2, $3, $4)
        """,
        name: "insert fence"
    )
    static let isAcknowledged = Statement("SELECT fence.are_acknowledged(ARRAY[$1])", name: "read acknowledgements")
    static let removeSilentNodes = Statement(
        "SELECT fence.remove_nodes_silent_to(ARRAY[$1])",
        name: "remove silent nodes"
    )
    static let lift = Statement("SELECT fence.lift_fences(ARRAY[$1])", name: "lift fence")
    /// Ends the sessions of an application name, except the session that asks.
    static let endOthers = Statement(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()
        """,
        name: "end earlier lease sessions"
    )
}

extension PostgresConnection {
    /// Reads the timeline of the server, and the one in the cluster's row.
    ///
    /// A session reads it once: the session of a primary does not survive a change of the timeline.
    func readTimeline() async throws(PostgresError) -> (ServerTimeline, ServerTimeline?) {
        try Self.timelines(try await query(FenceStatements.timeline))
    }

    /// Inserts a fence, and reads the timelines as ``readTimeline()`` does.
    ///
    /// - Parameters:
    ///   - fence: The id of the fence.
    ///   - keys: The keys.
    ///   - life: The time after which the fence expires.
    ///   - deadline: The maximum time of the statement.
    /// - Returns: The timeline of the server, and the one in the cluster's row.
    /// - Throws: The errors of a statement. Then the fence may stand.
    func insertFence(
        _ fence: UUID,
        around keys: FencedKeys,
        life: Duration,
        deadline: Duration
    ) async throws(PostgresError) -> (ServerTimeline, ServerTimeline?) {
        let parameters: [any PostgresEncodable] = [fence, keys.workspace, keys.keys, life.timeoutMilliseconds]
        return try Self.timelines(try await query(FenceStatements.insert, parameters, deadline: deadline))
    }

    private static func timelines(_ rows: Rows) throws(PostgresError) -> (ServerTimeline, ServerTimeline?) {
        guard let row = rows.first else { throw PostgresError(.protocolViolation, "SELECT returned no row") }
        let (system, number, recordedSystem, recordedNumber) = try row.decode((Int64, Int64, Int64?, Int64?).self)
        var recorded: ServerTimeline?
        if let recordedSystem, let recordedNumber {
            recorded = ServerTimeline(system: recordedSystem, number: recordedNumber)
        }
        return (ServerTimeline(system: system, number: number), recorded)
    }
}

extension RenewalAnswer {
    /// Reads the rows of a renewal.
    init(_ rows: Rows, timeline: ServerTimeline) throws(PostgresError) {
        guard let first = rows.first else {
            throw PostgresError(.protocolViolation, "a renewal returned no row")
        }
        var standing: [StandingFence] = []
        for row in rows {
            let (_, id, workspace, keys, _) = try row.decode((Bool, UUID?, UUID?, [UUID]?, Int64).self)
            guard let id, let workspace else { continue }
            standing.append(StandingFence(id: id, keys: FencedKeys(workspace: workspace, keys: keys)))
        }
        self.init(
            isGranted: try first.decode(0),
            standing: standing,
            timeline: timeline,
            otherNodes: try first.decode(4)
        )
    }
}
