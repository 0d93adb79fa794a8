public import Postgres

/// The rows of users, members, sessions and session issuers over one connection to the control database, for reading.
///
/// ``PeopleWriter`` writes them.
public struct PeopleStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection, which may have a transaction open.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }
}
