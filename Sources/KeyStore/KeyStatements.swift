import Postgres

/// The SQL over the keys of one table and their secrets.
struct KeyStatements: Sendable {
    static let service = KeyStatements(.service)
    static let control = KeyStatements(.control)
    static let client = KeyStatements(.client)

    static let organizationOfAdminKey = Statement(
        "SELECT organization_id FROM auth.service_keys WHERE id = $1 AND kind = 'admin'"
    )

    static let endSecret = Statement("UPDATE auth.key_secrets SET ends_at = $2 WHERE id = $1")

    static let endSecretNow = Statement("UPDATE auth.key_secrets SET ends_at = $2, ended_at = $2 WHERE id = $1")

    /// Parameters: the key's id.
    ///
    /// It deletes all ended secrets but the last 20. The token of a deleted secret is unknown from then on.
    let pruneSecrets: Statement
    /// Parameters: the id and the owner's.
    let find: Statement
    /// Parameters: as of `some`.
    ///
    /// The rows are locked until the transaction ends, in the order of their ids, so that two changes of several keys never wait for each
    /// other.
    let lock: Statement
    /// Parameters: the id and the owner's.
    ///
    /// A `lock` of the row waits until the transaction ends, and nothing else does.
    let hold: Statement
    /// Parameters: the filter's, the owner's, the cursor's time and id, limit, offset.
    let listAfter: Statement
    /// Parameters: as of `listAfter`.
    ///
    /// The keys nearest to the cursor come first.
    let listBefore: Statement
    /// Parameters: the filter's and the owner's.
    let count: Statement
    /// Parameters: the ids of keys.
    let secrets: Statement
    let insert: Statement
    let update: Statement
    /// Parameters: the ids of keys, the values of their ``KeyRecord/Stop`` and the time, and the held restrictions if the table has them.
    let stop: Statement
    /// Parameters: the id and the owner's.
    let delete: Statement
    /// Parameters: the secret's id, the key's id, digest, pepper id, prefix, time, and the owner's.
    let insertSecret: Statement
    let hasSecret: Statement
    /// The table of the keys.
    let table: KeyTable
    /// Parameters: the ids of keys and the owner's.
    let some: Statement
    /// Parameters: the owner's.
    let usedScopes: Statement
    /// Parameters: the owner's.
    let usedOwners: Statement

    private init(_ table: KeyTable) {
        self.table = table
        let newest = "FROM \(table.name) k WHERE \(table.isOwned(1)) ORDER BY k.created_at DESC, k.id DESC LIMIT 500"
        usedScopes = Statement(
            "SELECT DISTINCT s FROM (SELECT k.scopes \(newest)) k, unnest(k.scopes) s ORDER BY s LIMIT 100"
        )
        let owner = table.kind == KeyTable.client.kind ? "k.subject" : "k.created_by"
        usedOwners = Statement("SELECT DISTINCT o FROM (SELECT \(owner) AS o \(newest)) k ORDER BY o LIMIT 100")
        let select = "SELECT \(table.columns) FROM \(table.name) k"
        find = Statement("\(select) WHERE k.id = $1 AND \(table.isOwned(2))")
        some = Statement("\(select) WHERE k.id = ANY ($1) AND \(table.isOwned(2))")
        lock = Statement("\(select) WHERE k.id = ANY ($1) AND \(table.isOwned(2)) ORDER BY k.id FOR UPDATE")
        hold = Statement("SELECT 1 FROM \(table.name) k WHERE k.id = $1 AND \(table.isOwned(2)) FOR KEY SHARE")
        let matches = "\(Self.filter(table)) AND \(table.isOwned(Self.filterCount + 1))"
        count = Statement("SELECT count(*) FROM \(table.name) k WHERE \(matches)")
        // There is always a cursor, so that it can be a condition of the index.
        let page = Self.filterCount + table.ownerCount + 1
        func list(_ comparison: String, _ order: String) -> Statement {
            Statement(
                """
                \(select) WHERE (k.created_at, k.id) \(comparison) ($\(page), $\(page + 1)) AND \(matches)
                ORDER BY k.created_at \(order), k.id \(order) LIMIT $\(page + 2) OFFSET $\(page + 3)
                """
            )
        }
        listAfter = list("<", "DESC")
        listBefore = list(">", "ASC")
        secrets = Self.secrets(table)
        insert = Self.insert(table)
        update = Self.update(table)
        stop = Self.stop(table)
        delete = Statement("DELETE FROM \(table.name) k WHERE k.id = $1 AND \(table.isOwned(2))")
        insertSecret = Statement(
            """
            INSERT INTO auth.key_secrets (id, \(table.secretColumn), digest, pepper_id, prefix, created_at)
            SELECT $1, k.id, $3, $4, $5, $6 FROM \(table.name) k WHERE k.id = $2 AND \(table.isOwned(7))
            """
        )
        pruneSecrets = Statement(
            """
            DELETE FROM auth.key_secrets WHERE id IN (
                SELECT id FROM auth.key_secrets
                WHERE \(table.secretColumn) = $1 AND (ended_at IS NOT NULL OR ends_at <= clock_timestamp())
                ORDER BY created_at DESC, id DESC OFFSET 20)
            """
        )
        hasSecret = Statement(
            "SELECT 1 FROM auth.key_secrets WHERE digest = $1 AND \(table.secretColumn) = $2"
        )
    }

    /// The number of parameters of `filter`.
    private static let filterCount = 5

    /// Returns the condition of a filter.
    ///
    /// The CASE is `KeyStatus.derive` in SQL; a test holds the two together.
    private static func filter(_ table: KeyTable) -> String {
        let hasEnded = """
            (k.ended_at IS NOT NULL OR coalesce(k.expires_at <= clock_timestamp(), false)
                OR coalesce(k.grace_period_ends_at <= clock_timestamp(), false))
            """
        return """
            ($1::text IS NULL OR $1 = CASE
                WHEN k.revoked_at IS NOT NULL THEN 'revoked'
                WHEN \(hasEnded) THEN 'expired'
                WHEN k.disabled_at IS NOT NULL THEN 'disabled'
                WHEN k.deprecated_at IS NOT NULL THEN 'deprecated'
                ELSE 'active' END)
            AND ($2::text IS NULL OR k.name ILIKE $2)
            AND ($3::text IS NULL OR \(table.subject) = $3)
            AND ($4::text IS NULL OR \(table.type) = $4)
            AND ($5::boolean IS NULL OR $5 = (k.revoked_at IS NULL AND NOT \(hasEnded)))
            """
    }

    /// Returns the statement that reads the secrets of some keys, newest first.
    ///
    /// The last 20 ended secrets stay in the table, so that their tokens are answered with "expired" and their use stays
    /// known.
    private static func secrets(_ table: KeyTable) -> Statement {
        Statement(
            """
            SELECT s.\(table.secretColumn), \(table.secretColumns("s"))
            FROM auth.key_secrets s LEFT JOIN auth.key_usage u ON u.secret_id = s.id
            WHERE s.\(table.secretColumn) = ANY ($1)
            ORDER BY s.created_at DESC, s.id DESC
            """
        )
    }

    private static func insert(_ table: KeyTable) -> Statement {
        let own = table.fixedColumns + table.changingColumns
        let common = """
            id, name, unique_name, description, mode, scopes, allowed_namespaces, allowed_ips, rate_limit_per_minute, \
            rate_limit_per_hour, expires_at, metadata, disabled_at, created_by, created_at, limit_id, updated_at
            """
        let numbers = (1...16).map { "$\($0)" } + ["$15"] + own.indices.map { "$\($0 + 17)" }
        return Statement(
            """
            INSERT INTO \(table.name) (\(common), \(own.joined(separator: ", ")))
            VALUES (\(numbers.joined(separator: ", ")))
            """
        )
    }

    private static func update(_ table: KeyTable) -> Statement {
        let own = table.changingColumns.enumerated().map { ", \($0.element) = $\($0.offset + 22)" }.joined()
        return Statement(
            """
            UPDATE \(table.name) SET name = $2, unique_name = $3, description = $4, scopes = $5,
                allowed_namespaces = $6, allowed_ips = $7, rate_limit_per_minute = $8, rate_limit_per_hour = $9,
                expires_at = $10, metadata = $11, disabled_at = $12, deprecated_at = $13, deprecation_reason = $14,
                grace_period_ends_at = $15, ended_at = $16, revoked_at = $17, revoked_by = $18, revocation_reason = $19,
                replaced_by = $20, updated_at = $21\(own)
            WHERE id = $1
            """
        )
    }

    private static func stop(_ table: KeyTable) -> Statement {
        let holds = table.hasHolds ? ", holds = $8" : ""
        return Statement(
            """
            UPDATE \(table.name) SET disabled_at = $2, revoked_at = $3, revoked_by = $4, revocation_reason = $5,
                updated_at = $6, unique_name = CASE WHEN $7 THEN NULL ELSE unique_name END\(holds)
            WHERE id = ANY ($1)
            """
        )
    }
}
