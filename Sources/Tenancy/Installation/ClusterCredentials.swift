public import FoundationEssentials

/// The passwords of database roles, which are never stored in a database.
public struct ClusterCredentials: Sendable {
    let runtimePassword: @Sendable (UUID) -> String
    let ownerPassword: @Sendable (String) -> String?

    /// Takes the sources of passwords.
    ///
    /// - Parameters:
    ///   - runtimePassword: of the role that the service connects as, by the cluster's id. It is set on the server at every start, as a
    ///     SCRAM verifier, so no log shows it.
    ///   - ownerPassword: of the role that owns the databases of a cluster, by the cluster's name; not asked for the primary cluster,
    ///     whose owner's configuration is given whole. `nil` leaves it to libpq (`.pgpass`, certificates, peer).
    public init(
        runtimePassword: @escaping @Sendable (UUID) -> String,
        ownerPassword: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.runtimePassword = runtimePassword
        self.ownerPassword = ownerPassword
    }
}
