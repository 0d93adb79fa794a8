public import FoundationEssentials
import JSON
public import KeyStore
import Keys
import Postgres

extension ControlWriter {
    private static let insertWorkspace = Statement(
        """
        WITH given AS (
            INSERT INTO control.workspace_refs (ref) VALUES ($3)
        )
        INSERT INTO control.workspaces AS w
            (id, organization_id, ref, slug, name, cluster_id, database, is_default, data_retention, state,
            state_event_id, metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, '{"unit": "days", "value": 7}'), 'creating', $10,
            coalesce($11, '{}'))
        ON CONFLICT (organization_id, slug) DO NOTHING
        RETURNING \(Workspace.columns("w"))
        """
    )

    private static let updateWorkspace = Statement(
        """
        UPDATE control.workspaces AS w
        SET name = $2, slug = $3, data_retention = coalesce($4, data_retention), metadata = coalesce($5, metadata),
            member_scopes = $6, updated_at = now()
        WHERE id = $1
        RETURNING \(Workspace.columns("w"))
        """
    )

    /// Creates the row of a workspace in state `creating`.
    ///
    /// ``Provisioner/reconcile(_:)`` then creates its database.
    ///
    /// - Throws: `invalid` naming the field, `unknownOrganization`, `unknownCluster`, `slugTaken`, `defaultExists`.
    public func createWorkspace(_ new: NewWorkspace, by attribution: Attribution) async throws -> Workspace {
        if let name = new.name { try Self.check(name: name) }
        guard let cluster = try await store.cluster(name: new.cluster ?? Cluster.primaryName) else {
            throw TenancyError.unknownCluster
        }
        let (id, eventID) = (identifiers.id(), identifiers.id())
        let created: Workspace = try await withSlug(
            new.slug,
            name: new.name,
            fallback: new.isDefault ? "default" : "workspace"
        ) { slug in
            // A new one for each attempt: the reference of an attempt whose slug was taken is spent.
            let ref = identifiers.workspaceRef()
            do throws(PostgresError) {
                return try await transaction.connection
                    .query(
                        Self.insertWorkspace,
                        [
                            id, new.organizationID, ref.text, slug.text, new.name, cluster.id,
                            installation.workspaceDatabase(ref), new.isDefault,
                            new.dataRetention.map(PostgresJSON.init(_:)), eventID,
                            new.metadata.map(PostgresJSON.init(_:)),
                        ]
                    )
                    .first.map { row throws(PostgresError) in try Workspace(row: row) }
            } catch {
                throw Self.translate(error)
            }
        }
        var changes = EventChanges()
        changes.add("name", from: String?.none, to: created.name)
        changes.add("slug", from: String?.none, to: created.slug)
        try await record(
            .workspaceCreated,
            id: eventID,
            workspace: id,
            organization: new.organizationID,
            changes,
            by: attribution
        )
        return created
    }

    /// Changes the name, slug, data retention or metadata of a workspace.
    ///
    /// - Throws: `unknownWorkspace`, `invalid` naming the field, `slugTaken`.
    public func updateWorkspace(
        _ id: UUID,
        _ change: WorkspaceChange,
        by attribution: Attribution
    ) async throws -> Workspace {
        if let name = change.name ?? nil { try Self.check(name: name) }
        let slug = try change.slug.map { try Slug(validating: $0).text }
        guard let old = try await store.lockWorkspace(id) else { throw TenancyError.unknownWorkspace }
        let rows: Rows
        do throws(PostgresError) {
            rows = try await transaction.connection.query(
                Self.updateWorkspace,
                [
                    id, change.name ?? old.name, slug ?? old.slug, change.dataRetention.map(PostgresJSON.init(_:)),
                    change.metadata.map(PostgresJSON.init(_:)), change.memberScopes ?? old.memberScopes,
                ]
            )
        } catch {
            throw Self.translate(error)
        }
        let updated = try Workspace(row: rows.first.orMissing())
        try await record(
            .workspaceUpdated,
            workspace: id,
            organization: updated.organizationID,
            try Self.changes(from: old, to: updated),
            by: attribution
        )
        return updated
    }

    private static func changes(from old: Workspace, to new: Workspace) throws -> EventChanges {
        var changes = EventChanges()
        changes.compare("name", from: old.name, to: new.name)
        changes.compare("slug", from: old.slug, to: new.slug)
        changes.compare(
            "data_retention",
            from: try JSONValue(parsing: old.dataRetention.utf8),
            to: try JSONValue(parsing: new.dataRetention.utf8)
        )
        changes.compare("member_scopes", from: old.memberScopes, to: new.memberScopes)
        // The metadata is the owner's data and stays out of the log.
        if old.metadata != new.metadata { changes.add("metadata", "changed") }
        return changes
    }

    /// Returns the error that a violated constraint stands for.
    private static func translate(_ error: PostgresError) -> any Error {
        let retention = TenancyError(.invalid, "data retention is a JSON object", field: "data_retention")
        // The parameters that the server parses are that text and the metadata, which surfaces check to be an object.
        if error.sqlState == .invalidTextRepresentation { return retention }
        return switch error.constraint {
        case "workspaces_slug_key": TenancyError(.slugTaken, "the slug is taken", field: "slug")
        case "workspaces_one_default": TenancyError(.defaultExists, "the organization has a default workspace already")
        case "workspaces_organization_id_fkey": TenancyError.unknownOrganization
        case "workspaces_data_retention_object": retention
        case "workspaces_metadata_object": TenancyError(.invalid, "metadata is a JSON object", field: "metadata")
        default: error
        }
    }
}

extension SQLState {
    /// 22P02: a text that does not have the form of its type.
    fileprivate static let invalidTextRepresentation = SQLState(rawValue: "22P02")
}
