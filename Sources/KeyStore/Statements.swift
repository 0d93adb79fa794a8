import Postgres

/// The SQL of keys and their secrets.
enum Statements {
    /// `clock_timestamp`, not `now`: a transaction that waited for a lock must not judge by the time at which it began.
    static let now = Statement("SELECT clock_timestamp()")

    static let find = Statement(
        """
        SELECT \(KeyRecord.columns) FROM auth.service_keys k
        WHERE k.id = $1 AND k.kind = ANY ($2) AND k.organization_id IS NOT DISTINCT FROM $3
        """
    )

    static let lock = Statement(
        """
        SELECT \(KeyRecord.columns) FROM auth.service_keys k
        WHERE k.id = $1 AND k.kind = ANY ($2) AND k.organization_id IS NOT DISTINCT FROM $3
        FOR UPDATE
        """
    )

    /// The CASE is `KeyStatus.derive` in SQL; a test holds the two together.
    static let list = Statement(
        """
        SELECT \(KeyRecord.columns) FROM auth.service_keys k
        WHERE k.kind = ANY ($1) AND k.organization_id IS NOT DISTINCT FROM $2
          AND ($3::text IS NULL OR k.name ILIKE $3 OR k.description ILIKE $3
               OR EXISTS (SELECT FROM auth.key_secrets s WHERE s.key_id = k.id AND s.prefix ILIKE $3))
          AND ($4::text IS NULL OR $4 = CASE
                WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN k.ended_at IS NOT NULL OR k.expires_at <= clock_timestamp()
                  OR k.grace_period_ends_at <= clock_timestamp() THEN 'expired'
                WHEN k.disabled_at IS NOT NULL THEN 'disabled'
                WHEN k.deprecated_at IS NOT NULL THEN 'deprecated'
                ELSE 'active' END)
          AND ($5::text IS NULL OR k.kind = $5)
          AND ($6::timestamptz IS NULL OR (k.created_at, k.id) < ($6, $7))
        ORDER BY k.created_at DESC, k.id DESC
        LIMIT $8
        """
    )

    /// Newest first.
    ///
    /// Ended secrets are kept, so that their tokens are answered with "expired" and their use stays known.
    static let secrets = Statement(
        """
        SELECT s.key_id, s.id, s.prefix, s.created_at, s.ends_at, u.last_used_at,
               s.ended_at IS NULL AND (s.ends_at IS NULL OR s.ends_at > clock_timestamp())
        FROM auth.key_secrets s LEFT JOIN auth.key_usage u ON u.secret_id = s.id
        WHERE s.key_id = ANY ($1)
        ORDER BY s.created_at DESC, s.id DESC
        """
    )

    static let insert = Statement(
        """
        INSERT INTO auth.service_keys (id, kind, organization_id, name, unique_name, description, mode, scopes, permissions,
            allowed_namespaces, allowed_ips, rate_limit_per_minute, rate_limit_per_hour, expires_at, metadata, created_by,
            created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
        """
    )

    static let update = Statement(
        """
        UPDATE auth.service_keys SET name = $2, unique_name = $3, description = $4, scopes = $5, permissions = $6,
            allowed_namespaces = $7, allowed_ips = $8, rate_limit_per_minute = $9, rate_limit_per_hour = $10,
            expires_at = $11, metadata = $12, disabled_at = $13, deprecated_at = $14, deprecation_reason = $15,
            grace_period_ends_at = $16, ended_at = $17, revoked_at = $18, revoked_by = $19, revocation_reason = $20,
            replaced_by = $21, updated_at = $22
        WHERE id = $1
        """
    )

    static let delete = Statement("DELETE FROM auth.service_keys WHERE id = $1")

    static let insertSecret = Statement(
        """
        INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        """
    )

    static let endSecret = Statement("UPDATE auth.key_secrets SET ends_at = $2 WHERE id = $1")

    static let endSecretNow = Statement("UPDATE auth.key_secrets SET ends_at = $2, ended_at = $2 WHERE id = $1")

    static let hasSecret = Statement("SELECT 1 FROM auth.key_secrets WHERE digest = $1 AND key_id = $2")
}
