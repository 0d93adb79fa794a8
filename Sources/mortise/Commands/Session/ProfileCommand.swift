import ArgumentParser
import JSON

/// The `mortise profile` commands.
struct ProfileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Manage the profiles of `mortise login`: list, use.",
        discussion: HelpText.reflowed(
            "A profile is a server and a credential for it. `mortise login` makes profiles and `mortise logout` removes them."
        ),
        subcommands: [ProfileList.self, ProfileUse.self]
    )

    static let exits = "0 success, 64 usage error, 74 output error"
}

/// The `mortise profile list` command.
struct ProfileList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the profiles.",
        discussion: HelpText.discussion(
            "The current profile has an asterisk. No credential is shown.",
            needs: "nothing",
            examples: ["profile list"],
            exits: ProfileCommand.exits
        )
    )

    @Flag(help: "Print a JSON array.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print only the names, one per line.")
    var quiet = false

    func validate() throws { try OutputFormat.check(json: json, quiet: quiet) }

    func run() async throws {
        let profiles = try ProfileStore.find().load()
        let rows = profiles.byName.sorted { $0.key < $1.key }
        switch OutputFormat(json: json, quiet: quiet) {
        case .quiet: for row in rows { try Output.line(row.key.printable) }
        case .json:
            let objects = rows.map { name, profile -> JSONValue in
                ["name": .string(name), "url": .string(profile.url), "is_current": .bool(name == profiles.current)]
            }
            try Output.line(JSONValue.array(objects).outputText)
        case .text:
            var table = TablePrinter<(key: String, value: Profile)>([
                TableColumn("") { [current = profiles.current] in $0.key == current ? "*" : "" },
                TableColumn("NAME") { $0.key }, TableColumn("CREDENTIAL", minimum: 12) { $0.value.summary },
            ])
            try table.print(rows.map { ($0.key, $0.value) })
            if table.isEmpty { try Output.error("There are no profiles. `mortise login` makes one.") }
        }
    }
}

/// The `mortise profile use` command.
struct ProfileUse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "use",
        abstract: "Make a profile the current one.",
        discussion: HelpText.discussion(
            "Commands that name no credential use the current profile.",
            needs: "a profile of `mortise login`",
            examples: ["profile use acme"],
            exits: ProfileCommand.exits
        )
    )

    @Argument(help: "The name of the profile.")
    var name: String

    func run() async throws {
        try await ProfileStore.find()
            .change { [name] profiles in
                guard profiles.byName[name] != nil else { throw CommandFailure.noProfile(name, among: profiles) }
                profiles.current = name
            }
        try Output.line("The current profile is \(name).".printable)
    }
}
