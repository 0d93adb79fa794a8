import FoundationEssentials
public import KeyStore
public import Keys
import Postgres

/// A restoration of an installation that no operator has released yet.
public struct HeldRestoration: Sendable, Hashable {
    /// The backup has every change that was committed before this instant.
    public let moment: Timestamp
    /// The workspaces that were active in the backup, and are suspended until they are resumed.
    public let workspaces: Int
}

extension PostgresConnection {
    private static let hasRestorations = Statement(
        "SELECT to_regclass('control.restorations') IS NOT NULL",
        prepared: false
    )
    private static let held = Statement(
        """
        SELECT r.moment, (SELECT count(*) FROM control.held_workspaces) FROM control.restorations r
        WHERE r.released_at IS NULL ORDER BY r.moment LIMIT 1
        """,
        prepared: false
    )

    /// Returns the restoration that keeps servers from starting, or `nil`.
    ///
    /// A backup of a held installation has a restoration, too. The oldest moment counts, because everything since then is unknown.
    func heldRestoration() async throws -> HeldRestoration? {
        guard try await query(Self.hasRestorations).first?.decode(0, as: Bool.self) == true,
            let row = try await query(Self.held).first
        else { return nil }
        return HeldRestoration(moment: try row.timestamp(0), workspaces: try row.decode(1, as: Int.self))
    }

    /// Throws if no operator has released a restoration of this control database.
    ///
    /// - Throws: `held`, whose message says what to do.
    func requireRelease() async throws {
        guard let held = try await heldRestoration() else { return }
        throw TenancyError(
            .held,
            """
            this installation was restored from a backup of \(held.moment.rfc3339), and keys that were revoked after that moment would \
            work again; read about the release in docs/operations.md, and run, with the same --settings, --data or --database-url-file or \
            their variables, `mortise release --moment \(held.moment.rfc3339)`
            """
        )
    }
}

extension ControlDatabase {
    private static let heldWorkspaces = Statement(
        """
        SELECT w.id, w.organization_id FROM control.held_workspaces h JOIN control.workspaces w ON w.id = h.workspace_id
        WHERE w.state = 'suspended' AND w.target_state IS NULL ORDER BY w.id FOR UPDATE OF w
        """,
        prepared: false
    )
    private static let request = Statement(
        "UPDATE control.workspaces SET target_state = 'active', state_event_id = $2, updated_at = now() WHERE id = $1"
    )
    private static let release = Statement(
        "UPDATE control.restorations SET released_at = now() WHERE released_at IS NULL",
        prepared: false
    )
    private static let forget = Statement("DELETE FROM control.held_workspaces", prepared: false)

    /// Returns the restoration that keeps servers from starting, or `nil`.
    public func heldRestoration() async throws -> HeldRestoration? {
        try await withOwner(primary, database: nil) { try await $0.heldRestoration() }
    }

    /// Allows servers to start on a restored installation.
    ///
    /// - Parameters:
    ///   - moment: The moment of the backup, which the operator confirms.
    ///   - resumes: True to request that the workspaces become active that were active in the backup. The next start of a server carries
    ///     the requests out.
    ///   - attribution: The actor.
    /// - Returns: The number of workspaces that are resumed.
    /// - Throws: `wrongState` if no restoration is held, `invalid` if its moment is another.
    public func release(moment: Timestamp, resuming resumes: Bool, by attribution: Attribution = .system) async throws
        -> Int
    {
        try await withOwner(primary, database: nil) { connection in
            try await connection.auditedTransaction { transaction in
                guard let held = try await connection.heldRestoration() else {
                    throw TenancyError(.wrongState, "the installation is not held")
                }
                guard held.moment == moment else {
                    throw TenancyError(
                        .invalid,
                        "the backup is of the moment \(held.moment.rfc3339), not \(moment.rfc3339)",
                        field: "moment"
                    )
                }
                let rows = resumes ? Array(try await connection.query(Self.heldWorkspaces)) : []
                for row in rows {
                    let (workspace, organization) = try row.decode((UUID, UUID).self)
                    let event = identifiers.id()
                    try await connection.query(Self.request, [workspace, event])
                    var changes = EventChanges()
                    changes.add("state", from: WorkspaceState.suspended.rawValue, to: WorkspaceState.active.rawValue)
                    try await writer(in: transaction)
                        .record(
                            .workspaceResumed,
                            id: event,
                            workspace: workspace,
                            organization: organization,
                            changes,
                            by: attribution
                        )
                }
                if resumes { try await connection.query(Self.forget) }
                try await connection.query(Self.release)
                return rows.count
            }
        }
    }
}
