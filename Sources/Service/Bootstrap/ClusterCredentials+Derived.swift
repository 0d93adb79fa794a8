import FoundationEssentials
public import Keys
public import Tenancy

extension ClusterCredentials {
    /// Credentials whose runtime passwords are derived from the installation's role secret, so that every node has them.
    ///
    /// - Parameters:
    ///   - secrets: the secrets file; its first role secret counts.
    ///   - installation: whose role it is.
    ///   - ownerPassword: of the role that owns the databases of a further cluster, by the cluster's name; libpq's own ways by default.
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
