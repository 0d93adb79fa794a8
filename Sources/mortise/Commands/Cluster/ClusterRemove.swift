import ArgumentParser

/// The `mortise cluster remove` command.
struct ClusterRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a cluster that holds no workspace.",
        discussion: HelpText.discussion(
            "The PostgreSQL server stays, without the database of leases and fences. Delete the cluster's workspaces first.",
            needs: "the database settings of `mortise serve`, and its secrets file",
            examples: ["cluster remove second"],
            exits: "0 removed, 1 refused or unreachable, 64 usage error"
        )
    )

    @Argument(help: ArgumentHelp("The name of the cluster.", valueName: "name"))
    var name: String

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func run() async throws {
        try await ClusterRun(InstallationSettings(installation.reader())).remove(name)
        try Output.line("Removed the cluster \(name.printable).")
    }
}
