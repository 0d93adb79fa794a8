import FoundationEssentials
public import Keys
public import Tenancy

extension ClusterCredentials {
    /// Creates credentials whose runtime passwords derive from the installation's role secret, so every node has them.
    ///
    /// - Parameters:
    ///   - secrets: The secrets file, whose first role secret counts.
    ///   - installation: The installation, which names the role.
    ///   - ownerPassword: Returns the password of the role that owns a further cluster's databases, by the cluster's
    ///     name. By default libpq finds it.
    public init(
        derivedFrom secrets: SecretsFile,
        installation: Installation,
        ownerPassword: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.init(
            runtimePassword: { [role = secrets.roles.first] cluster in
                // A secrets file without a role secret is refused when it is read.
                role?.password(role: installation.runtimeRole, clusterID: UUIDv7.text(of: cluster)).reveal() ?? ""
            },
            ownerPassword: ownerPassword
        )
    }
}
