import Keys
import Postgres

/// One of the two tables of keys: the SQL expressions that differ between them, and between the databases.
///
/// The tables share nearly all columns and the whole lifecycle, so every statement is written once over this type.
struct KeyTable: Sendable {
    let name: String
    /// The column of `auth.key_secrets` that refers to the table.
    let secretColumn: String
    let kind: String
    let organization: String
    let permissions: String
    let subject: String
    let type: String
    let claims: String
    let holds: String
    /// The number of parameters of `isOwned`.
    let ownerCount: Int
    /// Returns the condition for the rows of one owner, whose parameters are numbered from `first` on.
    let isOwned: @Sendable (_ first: Int) -> String
    /// The columns that only this table has and that only an INSERT writes.
    let fixedColumns: [String]
    /// The columns that only this table has and that every change writes.
    let changingColumns: [String]

    /// True if the table has the restrictions that keep the rank of the caller who set them.
    var hasHolds: Bool { changingColumns.contains("holds") }

    /// The table of the keys of a workspace.
    static let service = serviceKeys(holds: "'{}'::jsonb", changingColumns: ["permissions"])

    /// The table of the keys of organizations and of the platform, in the control database.
    static let control = serviceKeys(holds: "k.holds", changingColumns: ["permissions", "holds"])

    private static func serviceKeys(holds: String, changingColumns: [String]) -> KeyTable {
        KeyTable(
            name: "auth.service_keys",
            secretColumn: "key_id",
            kind: "k.kind",
            organization: "k.organization_id",
            permissions: "k.permissions",
            subject: "NULL::text",
            type: "NULL::text",
            claims: "NULL::jsonb",
            holds: holds,
            ownerCount: 2,
            // PostgreSQL takes IS NOT DISTINCT FROM for a condition that few rows meet, and sorts all rows instead of reading an index.
            isOwned: {
                let organization = "$\($0 + 1)::uuid"
                return """
                    k.kind = ANY ($\($0)) AND (k.organization_id = \(organization) OR \(organization) IS NULL AND k.organization_id IS NULL)
                    """
            },
            fixedColumns: ["kind", "organization_id"],
            changingColumns: changingColumns
        )
    }

    /// The table of the keys of subjects.
    static let client = KeyTable(
        name: "auth.client_keys",
        secretColumn: "client_key_id",
        kind: "'client'::text",
        organization: "NULL::uuid",
        permissions: "'{}'::text[]",
        subject: "k.subject",
        type: "k.type",
        claims: "k.claims",
        holds: "k.holds",
        ownerCount: 1,
        isOwned: { "($\($0)::text IS NULL OR k.subject = $\($0))" },
        fixedColumns: ["type"],
        changingColumns: ["subject", "claims", "holds"]
    )

    /// The columns that `KeyRecord.init(row:from:)` reads, in its order.
    var columns: String {
        """
        k.id, \(kind), \(organization), k.name, k.description, k.mode, k.scopes, \(permissions), \
        k.allowed_namespaces, k.allowed_ips, k.rate_limit_per_minute, k.rate_limit_per_hour, k.expires_at, k.metadata, \
        k.disabled_at, k.deprecated_at, k.deprecation_reason, k.grace_period_ends_at, k.ended_at, k.revoked_at, \
        k.revoked_by, k.revocation_reason, k.replaced_by, k.created_by, k.created_at, k.updated_at, k.unique_name, \
        \(subject), \(type), \(claims), k.limit_id, \(holds), clock_timestamp()
        """
    }

    /// The columns that `SecretRecord.init(row:from:)` reads, in its order, of a secret and its usage `u`.
    func secretColumns(_ secret: String) -> String {
        """
        \(secret).id, \(secret).prefix, \(secret).created_at, \(secret).ends_at, u.last_used_at, \
        u.last_used_address, \
        \(secret).ended_at IS NULL AND (\(secret).ends_at IS NULL OR \(secret).ends_at > clock_timestamp())
        """
    }
}

extension KeyRecord {
    /// The values of the table's `fixedColumns`.
    var fixedValues: [any PostgresEncodable] {
        kind == .client ? [type] : [kind.rawValue, organizationID]
    }

    /// The values of the table's `changingColumns`.
    var changingValues: [any PostgresEncodable] {
        switch kind {
        case .client: [subject, claims.map(PostgresJSON.init(_:)), storedHolds]
        case .admin, .operator: [permissions, storedHolds]
        case .service, .anon: [permissions]
        }
    }

    /// The statements over the key's table.
    var statements: KeyStatements {
        switch kind {
        case .client: .client
        case .admin, .operator: .control
        case .service, .anon: .service
        }
    }
}

extension KeyOwner {
    /// The statements over the table of the owner's keys.
    var statements: KeyStatements {
        switch self {
        case .workspace: .service
        case .organization, .platform: .control
        case .clients: .client
        }
    }

    /// The parameters of `KeyTable.isOwned`.
    var parameters: [any PostgresEncodable] {
        switch self {
        case .workspace, .organization, .platform: [keyKinds.map(\.rawValue), organizationID]
        case .clients(let subject): [subject]
        }
    }
}
