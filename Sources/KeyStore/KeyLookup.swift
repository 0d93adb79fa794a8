public import FoundationEssentials
public import Keys
public import Postgres

/// A key that a token opens, read in one indexed read together with its workspace's state and the database's time.
public struct FoundKey: Sendable {
    /// What a decision needs.
    public let state: KeyState
    /// The name.
    public let name: String
    /// The owner's data, as JSON text of an object.
    public let metadata: String
    /// The permissions of an admin or operator key.
    public let permissions: PermissionSet
    /// The organization of an admin key.
    public let organizationID: UUID?
    /// Whose it is, of a client key.
    public let subject: String?
    /// The database's time when it was read.
    public let readAt: Timestamp
}

/// The hot read: from a token's digest to everything that decides about it.
public enum KeyLookup {
    private static let columns = """
        SELECT k.id, s.id, k.kind, k.mode, k.name, k.scopes, k.permissions, k.allowed_namespaces, k.allowed_ips, \
        k.rate_limit_per_minute, k.rate_limit_per_hour, k.expires_at, k.disabled_at IS NOT NULL, k.deprecated_at, \
        k.grace_period_ends_at, k.ended_at IS NOT NULL, k.revoked_at, s.ends_at, s.ended_at IS NOT NULL, k.metadata, \
        k.organization_id, w.state = 'active', clock_timestamp()
        """

    /// In a workspace a secret belongs to a key of one of two tables; the other side of the union finds nothing, by its primary key.
    private static let inWorkspace = """
        \(columns), k.subject FROM auth.key_secrets s CROSS JOIN LATERAL (\
        SELECT \(Self.shared), kind, organization_id, permissions, NULL::text AS subject \
        FROM auth.service_keys WHERE id = s.key_id \
        UNION ALL \
        SELECT \(Self.shared), 'client', NULL, '{}', subject FROM auth.client_keys WHERE id = s.client_key_id\
        ) k CROSS JOIN auth.workspace w
        """

    /// In the control database there are no client keys, and nothing to unite.
    private static let inRoot = """
        \(columns), NULL::text FROM auth.key_secrets s JOIN auth.service_keys k ON k.id = s.key_id \
        CROSS JOIN auth.workspace w
        """

    private static let shared = """
        id, mode, name, scopes, allowed_namespaces, allowed_ips, rate_limit_per_minute, rate_limit_per_hour, expires_at, \
        disabled_at, deprecated_at, grace_period_ends_at, ended_at, revoked_at, metadata
        """

    /// With one pepper, which is nearly always: an equality, the cheapest plan there is.
    public static let byDigest = Statement(inWorkspace + " WHERE s.digest = $1")
    private static let byDigestInRoot = Statement(inRoot + " WHERE s.digest = $1")
    /// While peppers rotate.
    private static let byAnyDigest = Statement(inWorkspace + " WHERE s.digest = ANY ($1)")

    /// Finds the key that one of these digests opens, or `nil`.
    ///
    /// - Parameters:
    ///   - digests: the digests of one token under every pepper.
    ///   - ref: the workspace whose database `pipeline` reads.
    ///   - pipeline: where to read.
    ///   - deadline: how long the read may take.
    /// - Returns: the key.
    /// - Throws: the database's errors; a row that cannot be understood is an error too, and never a key without restrictions.
    public static func find(
        _ digests: [PepperedDigest],
        ref: WorkspaceRef,
        in pipeline: PostgresPipeline,
        deadline: Duration? = nil
    ) async throws(PostgresError) -> FoundKey? {
        let rows =
            if digests.count == 1 {
                try await pipeline.query(
                    ref.isRoot ? Self.byDigestInRoot : Self.byDigest,
                    [digests[0].digest.bytes],
                    deadline: deadline
                )
            } else {
                try await pipeline.query(Self.byAnyDigest, [digests.map(\.digest.bytes)], deadline: deadline)
            }
        guard let row = rows.first else { return nil }
        return try FoundKey(row: row, ref: ref)
    }
}

extension FoundKey {
    init(row: Row, ref: WorkspaceRef) throws(PostgresError) {
        let ranges: [String] = try row.decode(8)
        let limits = RateLimits(perMinute: try row.decode(9), perHour: try row.decode(10))
        let permissions = PermissionSet(names: try row.decode(6))
        guard let limits, let permissions else {
            throw PostgresError(.decoding, "a key holds a limit or a permission that this version does not know")
        }
        state = KeyState(
            keyID: try row.decode(0),
            secretID: try row.decode(1),
            workspaceRef: ref,
            workspaceIsActive: try row.decode(21),
            kind: try row.decode(2, as: StoredText<KeyKind>.self).value,
            mode: try row.decode(3, as: StoredText<KeyMode>.self).value,
            lifecycle: KeyLifecycle(
                revokedAt: try row.decode(16, as: StoredTime?.self)?.value,
                expiresAt: try row.decode(11, as: StoredTime?.self)?.value,
                deprecatedAt: try row.decode(13, as: StoredTime?.self)?.value,
                graceEndsAt: try row.decode(14, as: StoredTime?.self)?.value,
                isEnded: try row.decode(15),
                isDisabled: try row.decode(12)
            ),
            secret: SecretLifetime(
                endsAt: try row.decode(17, as: StoredTime?.self)?.value,
                isEnded: try row.decode(18)
            ),
            scopes: ScopeSet(freeForm: try row.decode(5)),
            namespaces: NamespaceRule(try row.decode(7)),
            addressRanges: ranges.isEmpty ? [] : try Self.ranges(ranges),
            rateLimits: limits
        )
        name = try row.decode(4)
        metadata = try row.decode(19, as: PostgresJSON.self).text
        self.permissions = permissions
        organizationID = try row.decode(20)
        readAt = try row.decode(22, as: StoredTime.self).value
        subject = try row.decode(23)
    }

    private static func ranges(_ texts: [String]) throws(PostgresError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for text in texts {
            do throws(AddressFault) {
                ranges.append(try AddressRange(text))
            } catch {
                throw PostgresError(.decoding, "a key holds an address range that cannot be read")
            }
        }
        return ranges
    }
}
