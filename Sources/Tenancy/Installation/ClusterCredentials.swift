public import FoundationEssentials

/// The passwords of database roles.
///
/// No database stores them.
public struct ClusterCredentials: Sendable {
    let runtimePassword: @Sendable (UUID) -> String
    let ownerPassword: @Sendable (String) -> String?

    /// Creates credentials from the sources of passwords.
    ///
    /// - Parameters:
    ///   - runtimePassword: Returns the runtime role's password on a cluster, by the cluster's id. Every start sets it
    ///     on the server, as a SCRAM verifier, so no log shows it.
    ///   - ownerPassword: Returns the password of the role that owns a cluster's databases, by the cluster's name. The
    ///     primary cluster's owner has a complete configuration instead. `nil` leaves the password to libpq (`.pgpass`,
    ///     certificates, peer).
    public init(
        runtimePassword: @escaping @Sendable (UUID) -> String,
        ownerPassword: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.runtimePassword = runtimePassword
        self.ownerPassword = ownerPassword
    }
}
