import ArgumentParser

/// `mortise cluster`.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "PostgreSQL servers that hold workspaces: add, list.",
        discussion: HelpText.reflowed(
            """
            An installation begins with one cluster, "primary": the server of its control database. More are added here, beside the
            secrets file and as the role that owns the control database; a workspace is then created on one with `mortise
            workspace create --cluster NAME`.
            """
        ),
        subcommands: [ClusterAdd.self, ClusterList.self]
    )
}
