public import FoundationEssentials
public import Postgres

/// A workspace in which the client keys of a removed member are still to be disabled or revoked.
public struct PendingRetirement: Sendable, Hashable {
    /// The membership that was removed.
    public let membershipID: UUID
    /// The workspace of the keys.
    public let workspaceID: UUID
    /// The user whose keys these are.
    public let userID: UUID
    /// The outcome for the keys: `disable` or `revoke`.
    public let treatment: String
    /// The number of attempts of nodes, with the present one.
    public let attemptCount: Int
}

/// The retirements of client keys that a removal has recorded, over one connection to the control database.
public struct PendingRetirements: Sendable {
    private let connection: PostgresConnection

    /// Creates the retirements over a connection, which may have a transaction open.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let columns = "membership_id, workspace_id, user_id, treatment, attempt_count"
    private static let insert = Statement(
        """
        INSERT INTO control.pending_retirements (membership_id, workspace_id, organization_id, user_id, treatment)
        SELECT $1, w, $3, $4, $5 FROM unnest($2::uuid[]) w
        """
    )
    private static let ofMembership = Statement(
        "SELECT \(columns) FROM control.pending_retirements WHERE membership_id = $1 AND organization_id = $2"
    )
    private static let ofUser = Statement(
        "SELECT 1 FROM control.pending_retirements WHERE user_id = $1 AND organization_id = $2 LIMIT 1"
    )
    private static let claim = Statement(
        """
        UPDATE control.pending_retirements p
        SET attempt_count = attempt_count + 1,
            due_at = clock_timestamp() + least(interval '20 seconds' * 2 ^ least(attempt_count, 10), interval '1 hour')
        FROM (
            SELECT membership_id, workspace_id FROM control.pending_retirements WHERE due_at <= clock_timestamp()
            ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) d
        WHERE p.membership_id = d.membership_id AND p.workspace_id = d.workspace_id
        RETURNING p.membership_id, p.workspace_id, p.user_id, p.treatment, p.attempt_count
        """
    )
    private static let remove = Statement(
        "DELETE FROM control.pending_retirements WHERE membership_id = $1 AND workspace_id = $2"
    )

    /// Records retirements, in the transaction that removes the membership.
    ///
    /// - Throws: The database's errors.
    public func insert(
        _ membership: UUID,
        in workspaces: [UUID],
        organization: UUID,
        user: UUID,
        treatment: String
    ) async throws {
        if workspaces.isEmpty { return }
        try await connection.query(Self.insert, [membership, workspaces, organization, user, treatment])
    }

    /// Returns true if a removal of a user from an organization is not finished.
    ///
    /// - Throws: The database's errors.
    func isPending(_ user: UUID, organization: UUID) async throws -> Bool {
        try await !connection.query(Self.ofUser, [user, organization]).isEmpty
    }

    /// Returns the retirements of a membership that are not finished.
    ///
    /// - Throws: The database's errors.
    public func all(of membership: UUID, organization: UUID) async throws -> [PendingRetirement] {
        try await connection.query(Self.ofMembership, [membership, organization]).map(PendingRetirement.init(row:))
    }

    /// Takes retirements that are due.
    ///
    /// Unless they are finished, they are due again after 20 s, 40 s … 1 h, so that workspaces that are away hold up no other for long.
    ///
    /// - Parameter limit: The maximum number.
    /// - Returns: The retirements.
    /// - Throws: The database's errors.
    public func claim(_ limit: Int) async throws -> [PendingRetirement] {
        try await connection.query(Self.claim, [limit]).map(PendingRetirement.init(row:))
    }

    /// Notes that the keys of a retirement have been changed.
    ///
    /// - Throws: The database's errors.
    public func remove(_ retirement: PendingRetirement) async throws {
        try await connection.query(Self.remove, [retirement.membershipID, retirement.workspaceID])
    }
}

extension PeopleStore {
    /// Returns the retirements of a removed membership that are not finished.
    ///
    /// - Throws: The database's errors.
    public func retirements(of membership: UUID, organization: UUID) async throws -> [PendingRetirement] {
        try await PendingRetirements(connection).all(of: membership, organization: organization)
    }
}

extension PendingRetirement {
    fileprivate init(row: Row) throws(PostgresError) {
        membershipID = try row.decode(0)
        workspaceID = try row.decode(1)
        userID = try row.decode(2)
        treatment = try row.decode(3)
        attemptCount = Int(try row.decode(4, as: Int32.self))
    }
}
