import FoundationEssentials
import KeyStore
import Keys
import Postgres

extension Organization {
    /// The columns that `init(row:)` reads, in its order.
    ///
    /// The default workspace is in another table.
    static func columns(_ alias: String, defaultWorkspace: String) -> String {
        "\(alias).id, \(alias).name, \(alias).slug, \(alias).token_prefix, \(defaultWorkspace), "
            + "\(alias).created_at, \(alias).updated_at, \(alias).expiry_notice_days, \(alias).unused_after_days, "
            + "\(alias).leak_action"
    }

    init(row: Row) throws(PostgresError) {
        self.init(
            id: try row.decode(0),
            name: try row.decode(1),
            slug: try row.decode(2),
            tokenPrefix: try row.decode(3),
            expiryNoticeDays: try row.decode(7),
            unusedAfterDays: try row.decode(8),
            leakAction: try row.decode(9, as: String?.self) == nil ? nil : row.word(9),
            defaultWorkspaceID: try row.decode(4),
            createdAt: try row.timestamp(5),
            updatedAt: try row.timestamp(6)
        )
    }
}

extension Workspace {
    /// The columns that `init(row:)` reads, in its order.
    static func columns(_ alias: String) -> String {
        [
            "id", "organization_id", "ref", "slug", "name", "cluster_id", "database", "state", "target_state",
            "is_default",
            "data_retention", "created_at", "updated_at", "archived_at", "metadata", "member_scopes",
            "held_by_operator",
        ]
        .map { "\(alias).\($0)" }
        .joined(separator: ", ")
    }

    /// The number of columns.
    static let columnCount = 17

    init(row: Row) throws(PostgresError) {
        guard let ref = WorkspaceRef(try row.decode(2, as: String.self)) else {
            throw PostgresError(.decoding, "a workspace's reference is malformed")
        }
        let target: WorkspaceState? = try row.decode(8, as: String?.self) == nil ? nil : row.word(8)
        self.init(
            id: try row.decode(0),
            organizationID: try row.decode(1),
            ref: ref,
            slug: try row.decode(3),
            name: try row.decode(4),
            clusterID: try row.decode(5),
            database: try row.decode(6),
            state: try row.word(7),
            targetState: target,
            isDefault: try row.decode(9),
            dataRetention: try row.decode(10, as: PostgresJSON.self).text,
            createdAt: try row.timestamp(11),
            updatedAt: try row.timestamp(12),
            archivedAt: try row.optionalTimestamp(13),
            metadata: try row.decode(14, as: PostgresJSON.self).text,
            memberScopes: try row.decode(15),
            isHeldByOperator: try row.decode(16)
        )
    }
}

extension Cluster {
    /// The columns that `init(row:)` reads, in its order.
    static let columns = "id, name, conninfo, created_at"

    init(row: Row) throws(PostgresError) {
        self.init(
            id: try row.decode(0),
            name: try row.decode(1),
            conninfo: try row.decode(2),
            createdAt: try row.timestamp(3)
        )
    }
}
