import KeyStore
public import Postgres

/// The rows of organizations, workspaces and clusters over one connection to the control database, for reading.
///
/// ``ControlWriter`` writes them. Databases and states are the ``Provisioner``'s.
public struct ControlStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection, which may have a transaction open.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }
}
