import FoundationEssentials
public import KeyStore
import Postgres
public import Tenancy

/// Writes the rows of users, members, sessions and session issuers in an audited transaction.
///
/// Locks are here too, because they last until the transaction ends.
public struct PeopleWriter: Sendable {
    /// The rows as the transaction sees them.
    public let store: PeopleStore

    let transaction: AuditedTransaction
    let identifiers: IdentifierSource

    var connection: PostgresConnection { transaction.connection }

    /// Creates a writer.
    public init(_ transaction: AuditedTransaction, identifiers: IdentifierSource = .system) {
        self.transaction = transaction
        self.identifiers = identifiers
        store = PeopleStore(transaction.connection)
    }

    /// Records the event of a change.
    func record(
        _ type: EventType,
        organization: UUID?,
        workspace: UUID? = nil,
        _ changes: EventChanges,
        by attribution: Attribution
    ) async throws {
        try await transaction.record(
            EventRecord(
                type,
                id: identifiers.id(),
                workspaceID: workspace,
                organizationID: organization,
                changes: changes,
                by: attribution,
                at: try await transaction.now()
            )
        )
    }
}
