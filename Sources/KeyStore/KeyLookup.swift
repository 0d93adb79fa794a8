public import FoundationEssentials
public import Keys
public import Postgres
package import Synchronization

/// A key that a presented token belongs to, read in one indexed read together with its workspace's state and the
/// database's time.
///
/// A class, because keys in memory are shared by all verifications.
public final class FoundKey: Sendable {
    /// The state that a decision needs.
    public let state: KeyState
    /// The name.
    public let name: String
    /// The owner's data, as the text of a JSON object.
    public let metadata: String
    /// The permissions of an admin or operator key.
    public let permissions: PermissionSet
    /// The organization of an admin key.
    public let organizationID: UUID?
    /// The subject of a client key.
    public let subject: String?
    /// The id under which the key's uses count for its rate limits.
    ///
    /// A key and the key that replaced it have the same, so that a replacement refills no limit.
    public let limitID: UUID
    /// The database's time of the read.
    public let readAt: Timestamp
    /// The rendering of the key by a surface, which all requests share.
    package let rendering = AtomicLazyReference<KeyRendering>()

    /// Creates a key without data of its owner, for tests.
    package init(state: KeyState, name: String, readAt: Timestamp) {
        self.state = state
        self.name = name
        metadata = "{}"
        permissions = []
        organizationID = nil
        subject = nil
        limitID = state.keyID
        self.readAt = readAt
    }

    /// Creates a copy in a workspace that is not active.
    private init(stopping key: FoundKey) {
        var state = key.state
        state.workspaceIsActive = false
        self.state = state
        name = key.name
        metadata = key.metadata
        permissions = key.permissions
        organizationID = key.organizationID
        subject = key.subject
        limitID = key.limitID
        readAt = key.readAt
    }

    /// The key as if its workspace's own database said that the workspace is not active.
    package var stopped: FoundKey { FoundKey(stopping: self) }

    /// Decodes a row of the look-up.
    fileprivate init(row: Row, ref: WorkspaceRef) throws(PostgresError) {
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
            kind: try row.word(2),
            mode: try row.word(3),
            lifecycle: KeyLifecycle(
                revokedAt: try row.optionalTimestamp(16),
                expiresAt: try row.optionalTimestamp(11),
                deprecatedAt: try row.optionalTimestamp(13),
                graceEndsAt: try row.optionalTimestamp(14),
                isEnded: try row.decode(15),
                isDisabled: try row.decode(12)
            ),
            secret: SecretLifetime(
                endsAt: try row.optionalTimestamp(17),
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
        readAt = try row.timestamp(22)
        limitID = try row.decode(23)
        subject = try row.decode(24)
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

/// A rendering of a key's facts, which a surface keeps beside the key.
package final class KeyRendering: Sendable {
    /// The maximum size of a rendering, in sizes of the texts that it renders: the name, the subject and the scopes.
    ///
    /// It has them twice, and an encoded byte takes three.
    package static let factor = 6

    /// The rendering, of a type that the surface knows.
    package let value: any Sendable

    /// Creates a rendering.
    package init(_ value: any Sendable) { self.value = value }
}

/// The look-up of a verification: from a token's digest to everything that decides about its key.
public enum KeyLookup {
    /// The result of a look-up.
    public struct Answer<Found: Sendable>: Sendable {
        /// The key, or `nil` if there is none.
        public let found: Found?
        /// The mark of the session that read, which stands for the history of its server.
        public let mark: SessionMark
    }

    /// The columns of a decision over the key `k`, its secret `s` and the workspace `w`.
    private static func columns(kind: String, permissions: String, organization: String) -> String {
        """
        SELECT k.id, s.id, \(kind), k.mode, k.name, k.scopes, \(permissions), k.allowed_namespaces, k.allowed_ips, \
        k.rate_limit_per_minute, k.rate_limit_per_hour, k.expires_at, k.disabled_at IS NOT NULL, k.deprecated_at, \
        k.grace_period_ends_at, k.ended_at IS NOT NULL, k.revoked_at, s.ends_at, s.ended_at IS NOT NULL, k.metadata, \
        \(organization), w.state = 'active', clock_timestamp(), coalesce(k.limit_id, k.id)
        """
    }

    private static let keyColumns = columns(
        kind: "k.kind",
        permissions: "k.permissions",
        organization: "k.organization_id"
    )

    /// The look-up in a workspace, where a secret belongs to a key of one of two tables.
    ///
    /// The other side of the union finds nothing, by its primary key.
    private static let inWorkspace = """
        \(keyColumns), k.subject FROM auth.key_secrets s CROSS JOIN LATERAL (\
        SELECT \(shared), kind, organization_id, permissions, NULL::text AS subject \
        FROM auth.service_keys WHERE id = s.key_id \
        UNION ALL \
        SELECT \(shared), 'client', NULL, '{}', subject FROM auth.client_keys WHERE id = s.client_key_id\
        ) k CROSS JOIN auth.workspace w
        """

    /// The look-up in the control database, which has no client keys, so nothing to unite.
    private static let inRoot = """
        \(keyColumns), NULL::text FROM auth.key_secrets s JOIN auth.service_keys k ON k.id = s.key_id \
        CROSS JOIN auth.workspace w
        """

    private static let shared = """
        id, mode, name, scopes, allowed_namespaces, allowed_ips, rate_limit_per_minute, rate_limit_per_hour, expires_at, \
        disabled_at, deprecated_at, grace_period_ends_at, ended_at, revoked_at, metadata, limit_id
        """

    /// The number of columns that `FoundKey.init(row:ref:)` reads.
    fileprivate static let columnCount = 25

    /// A client key with its whole record: one row for each of its secrets, of which the presented one is `s`.
    private static let clientKey = """
        \(columns(kind: "'client'::text", permissions: "'{}'::text[]", organization: "NULL::uuid")), k.subject, \
        \(KeyTable.client.columns), \(KeyTable.client.secretColumns("o")) \
        FROM auth.key_secrets s JOIN auth.client_keys k ON k.id = s.client_key_id \
        JOIN auth.key_secrets o ON o.client_key_id = k.id LEFT JOIN auth.key_usage u ON u.secret_id = o.id \
        CROSS JOIN auth.workspace w
        """

    private static let secretOrder = "ORDER BY o.created_at DESC, o.id DESC"

    /// The look-up with one pepper, the usual case, for which an equality has the cheapest plan.
    public static let byDigest = Statement(inWorkspace + " WHERE s.digest = $1")
    private static let byDigestInRoot = Statement(inRoot + " WHERE s.digest = $1")
    private static let operatorKeyBySecret = Statement(inRoot + " WHERE s.id = $1 AND k.organization_id IS NULL")
    /// The look-up with several peppers, while they rotate.
    private static let byAnyDigest = Statement(inWorkspace + " WHERE s.digest = ANY ($1)")
    private static let clientKeyByDigests = Statement("\(clientKey) WHERE s.digest = ANY ($1) \(secretOrder)")

    /// Returns the key that one of some digests belongs to, or `nil`.
    ///
    /// - Parameters:
    ///   - digests: The digests of one token under every pepper.
    ///   - ref: The workspace whose database `pipeline` reads.
    ///   - pipeline: The pipeline.
    ///   - deadline: The maximum time of the read.
    /// - Returns: The key, and the mark of the session that read it.
    /// - Throws: The database's errors. A row that cannot be decoded is an error too, and never a key without
    ///   restrictions.
    public static func find(
        _ digests: [PepperedDigest],
        ref: WorkspaceRef,
        in pipeline: PostgresPipeline,
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Answer<FoundKey> {
        let answer =
            if digests.count == 1 {
                try await pipeline.answer(
                    ref.isRoot ? byDigestInRoot : byDigest,
                    [digests[0].digest.bytes],
                    deadline: deadline
                )
            } else {
                try await pipeline.answer(byAnyDigest, [digests.map(\.digest.bytes)], deadline: deadline)
            }
        guard let row = answer.rows.first else { return Answer(found: nil, mark: answer.mark) }
        let key = try answer.rows.decodedOnce { () throws(PostgresError) in try FoundKey(row: row, ref: ref) }
        return Answer(found: key, mark: answer.mark)
    }

    /// Returns the key that one of some digests belongs to, or `nil`.
    ///
    /// The digests are those of one token, of which nothing else is known any more. The errors are those of ``find(_:ref:in:deadline:)``.
    package static func find(
        _ digests: [Digest],
        ref: WorkspaceRef,
        in pipeline: PostgresPipeline
    ) async throws(PostgresError) -> FoundKey? {
        guard let row = try await pipeline.query(byAnyDigest, [digests.map(\.bytes)]).first else { return nil }
        return try FoundKey(row: row, ref: ref)
    }

    /// Returns the operator key that a secret belongs to, or `nil`.
    ///
    /// The errors are those of ``find(_:ref:in:deadline:)``.
    package static func findOperatorKey(
        ofSecret secret: UUID,
        in pipeline: PostgresPipeline,
        deadline: Duration
    ) async throws(PostgresError) -> Answer<FoundKey> {
        let answer = try await pipeline.answer(operatorKeyBySecret, [secret], deadline: deadline)
        guard let row = answer.rows.first else { return Answer(found: nil, mark: answer.mark) }
        return Answer(found: try FoundKey(row: row, ref: .root), mark: answer.mark)
    }

    /// Returns the client key that one of some digests belongs to, with its record from the same read, or `nil`.
    ///
    /// The parameters and errors are those of ``find(_:ref:in:deadline:)``. A service key is not found.
    public static func findClientKey(
        _ digests: [PepperedDigest],
        ref: WorkspaceRef,
        in pipeline: PostgresPipeline,
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Answer<(key: FoundKey, record: KeyRecord)> {
        let answer = try await pipeline.answer(
            clientKeyByDigests,
            [digests.map(\.digest.bytes)],
            deadline: deadline
        )
        let rows = answer.rows
        guard let row = rows.first else { return Answer(found: nil, mark: answer.mark) }
        var record = try KeyRecord(row: row, from: columnCount)
        record.allSecrets = try rows.map { row throws(PostgresError) in
            try SecretRecord(row: row, from: columnCount + KeyRecord.columnCount)
        }
        return Answer(found: (try FoundKey(row: row, ref: ref), record), mark: answer.mark)
    }
}
