import Keys
import Postgres

/// One of the two tables of keys: what the SQL over it says, and what it has that the other has not.
///
/// The tables share nearly all of their columns and all of their life, so that everything else is written once.
struct KeyTable: Sendable {
    let name: String
    /// The column of `auth.key_secrets` that refers to it.
    let secretColumn: String
    let kind: String
    let organization: String
    let permissions: String
    let subject: String
    let type: String
    let claims: String
    /// How many parameters `isOwned` has.
    let ownerCount: Int
    /// Which rows are one owner's, with the owner's parameters from a number on.
    let isOwned: @Sendable (_ first: Int) -> String
    /// The columns of its own that are written once.
    let fixedColumns: [String]
    /// The columns of its own that are written again by every change.
    let changingColumns: [String]

    /// The keys of workspaces, organizations and the platform.
    static let service = KeyTable(
        name: "auth.service_keys",
        secretColumn: "key_id",
        kind: "k.kind",
        organization: "k.organization_id",
        permissions: "k.permissions",
        subject: "NULL::text",
        type: "NULL::text",
        claims: "NULL::jsonb",
        ownerCount: 2,
        isOwned: { "k.kind = ANY ($\($0)) AND k.organization_id IS NOT DISTINCT FROM $\($0 + 1)" },
        fixedColumns: ["kind", "organization_id"],
        changingColumns: ["permissions"]
    )

    /// The keys of subjects.
    static let client = KeyTable(
        name: "auth.client_keys",
        secretColumn: "client_key_id",
        kind: "'client'::text",
        organization: "NULL::uuid",
        permissions: "'{}'::text[]",
        subject: "k.subject",
        type: "k.type",
        claims: "k.claims",
        ownerCount: 1,
        isOwned: { "($\($0)::text IS NULL OR k.subject = $\($0))" },
        fixedColumns: ["type"],
        changingColumns: ["subject", "claims"]
    )

    /// The columns that `KeyRecord.init(row:)` reads, in its order.
    var columns: String {
        """
        k.id, \(kind), \(organization), k.name, k.description, k.mode, k.scopes, \(permissions), \
        k.allowed_namespaces, k.allowed_ips, k.rate_limit_per_minute, k.rate_limit_per_hour, k.expires_at, k.metadata, \
        k.disabled_at, k.deprecated_at, k.deprecation_reason, k.grace_period_ends_at, k.ended_at, k.revoked_at, \
        k.revoked_by, k.revocation_reason, k.replaced_by, k.created_by, k.created_at, k.updated_at, k.unique_name, \
        \(subject), \(type), \(claims)
        """
    }
}

extension KeyRecord {
    /// The values of its table's `fixedColumns`.
    var fixedValues: [any PostgresEncodable] {
        kind == .client ? [type] : [kind.rawValue, organizationID]
    }

    /// The values of its table's `changingColumns`.
    var changingValues: [any PostgresEncodable] {
        kind == .client ? [subject, claims.map(PostgresJSON.init(_:))] : [permissions]
    }

    /// The statements over its table.
    var statements: KeyStatements { kind == .client ? .client : .service }
}

extension KeyOwner {
    /// The statements over the table of its keys.
    var statements: KeyStatements {
        switch self {
        case .workspace, .organization, .platform: .service
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
