import ArgumentParser

/// The `mortise cluster` commands.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Manage clusters, the PostgreSQL servers that hold workspaces: add, list, update, remove.",
        discussion: HelpText.reflowed(
            """
            A new installation has one cluster, "primary", which is the server of its control database. Run these commands on a
            machine with the secrets file, as the role that owns the control database. `mortise workspace create --cluster NAME`
            creates a workspace on a cluster.
            """
        ),
        subcommands: [ClusterAdd.self, ClusterList.self, ClusterUpdate.self, ClusterRemove.self]
    )
}

extension ArgumentHelp {
    /// The help of the connection string of a cluster.
    static let clusterConnectionString = ArgumentHelp(
        "The connection string of the role that owns the databases, without a password.",
        valueName: "connection-string"
    )
}
