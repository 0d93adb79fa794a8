public import FoundationEssentials
public import Keys

/// A PostgreSQL server that holds workspaces.
public struct Cluster: Sendable, Hashable {
    /// The name of the cluster on the control database's own server.
    public static let primaryName = "primary"

    /// The cluster's id, version 7.
    public var id: UUID
    /// The cluster's name, unique in the installation.
    public var name: String
    /// The owner role's connection string, in libpq's keywords and values, without the password.
    ///
    /// It is empty for the primary cluster, which is reached as the control database is.
    public var conninfo: String
    /// The time at which the cluster was added.
    public var createdAt: Timestamp

    /// True if the cluster is on the control database's own server.
    public var isPrimary: Bool { name == Self.primaryName }
}
