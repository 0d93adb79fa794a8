public import FoundationEssentials
public import KeyStore
import Postgres
import Tenancy

extension PeopleWriter {
    private static let insertIssuer = Statement(
        """
        INSERT INTO control.session_issuers (id, issuer, organization_id, jwks_url, jwks_file, jwks, algorithms,
            authorized_parties, read_roles, manage_roles, audiences)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (issuer) DO NOTHING
        RETURNING \(SessionIssuer.columns)
        """
    )
    private static let deleteIssuer = Statement(
        "DELETE FROM control.session_issuers WHERE id = $1 AND organization_id = $2 RETURNING \(SessionIssuer.columns)"
    )

    /// Inserts a session issuer, or returns `nil` if an organization has one of this name.
    public func insertSessionIssuer(
        _ new: NewSessionIssuer,
        organization: UUID,
        by attribution: Attribution
    ) async throws -> SessionIssuer? {
        var (url, file, inline): (String?, String?, PostgresJSON?)
        switch new.keys {
        case .url(let text): url = text
        case .file(let path): file = path
        case .inline(let json): inline = PostgresJSON(json)
        }
        let rows = try await connection.query(
            Self.insertIssuer,
            [
                identifiers.id(), new.issuer, organization, url, file, inline, new.algorithms,
                new.authorizedParties, new.readRoles, new.manageRoles, new.audiences,
            ]
        )
        guard let row = rows.first else { return nil }
        let issuer = try SessionIssuer(row: row)
        try await record(.sessionIssuerAdded, organization: organization, issuer.changes, by: attribution)
        return issuer
    }

    /// Deletes a session issuer.
    ///
    /// - Returns: False if the organization has no such issuer.
    public func deleteSessionIssuer(_ id: UUID, organization: UUID, by attribution: Attribution) async throws -> Bool {
        guard let row = try await connection.query(Self.deleteIssuer, [id, organization]).first else { return false }
        let issuer = try SessionIssuer(row: row)
        try await record(.sessionIssuerRemoved, organization: organization, issuer.changes, by: attribution)
        return true
    }
}

extension SessionIssuer {
    /// The members of an event that says that the issuer was added or removed.
    fileprivate var changes: EventChanges {
        var changes = EventChanges()
        changes.add("id", id)
        changes.add("issuer", issuer)
        return changes
    }
}
