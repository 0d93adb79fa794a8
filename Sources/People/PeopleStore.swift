public import Postgres
public import Tenancy

/// The rows of users, members, sessions and session issuers, over one connection to the control database.
public struct PeopleStore: Sendable {
    let connection: PostgresConnection
    let identifiers: IdentifierSource

    /// Creates a store over a connection, which may have a transaction open.
    public init(_ connection: PostgresConnection, identifiers: IdentifierSource = .system) {
        self.connection = connection
        self.identifiers = identifiers
    }

    /// Returns the parameters of an event: its id, actor, address and request id.
    func event(_ attribution: Attribution) -> [any PostgresEncodable] {
        [identifiers.id(), attribution.actor, attribution.address, attribution.requestID]
    }
}
