public import FoundationEssentials
public import Keys

/// A PostgreSQL server that holds workspaces.
public struct Cluster: Sendable, Hashable {
    /// The name of the cluster that is the control database's own server.
    public static let primaryName = "primary"

    /// Its id, version 7.
    public var id: UUID
    /// Its name, unique in the installation.
    public var name: String
    /// How its owner role connects, in libpq's keywords and values, without the password; empty for the primary cluster, which is
    /// reached as the control database is.
    public var conninfo: String
    /// When it was added.
    public var createdAt: Timestamp

    /// Whether it is the control database's own server.
    public var isPrimary: Bool { name == Self.primaryName }
}
