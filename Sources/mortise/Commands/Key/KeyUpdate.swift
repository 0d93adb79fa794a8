import ArgumentParser
import JSON
import MortiseClient

/// A setting of a key that can be taken back.
enum ClearableField: String, CaseIterable, ExpressibleByArgument {
    case description
    case scopes
    case permissions
    case namespaces = "allowed-namespaces"
    case addresses = "allowed-ips"
    case perMinute = "rate-limit-per-minute"
    case perHour = "rate-limit-per-hour"
    case expiry = "expires-at"
    case metadata

    /// The member of the body.
    var member: String { rawValue.replacing("-", with: "_") }
}

struct KeyUpdate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change the settings of a key.",
        discussion: HelpText.discussion(
            """
            Only what is named changes. A list that is given replaces the old one. When the command returns, no node decides by
            the old settings any more.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key update ID --workspace shop --scope read:orders --scope read:items",
                "key update ID --workspace shop --clear expires-at --clear allowed-ips",
            ]
        )
    )

    @OptionGroup var key: KeyArgument

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @Option(help: "The new name.")
    var name: String?

    @OptionGroup(title: "Settings")
    var fields: KeyFields

    @Option(help: ArgumentHelp("Take a setting back. Repeat for more.", valueName: "setting"))
    var clear: [ClearableField] = []

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard !(fields.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("--metadata-file and --token-file cannot both be standard input.")
        }
    }

    func run() async throws {
        var body = try await fields.body()
        body["name"] = name.map(JSONValue.string)
        for field in clear {
            guard body[field.member]?.isNull ?? true else {
                throw CommandFailure.usage("\(field.rawValue) is both set and cleared.")
            }
            body[field.member] = .null
        }
        guard !body.isEmpty else { throw CommandFailure.usage("There is nothing to change.") }
        try await connection.show(.patch(place.path(key.id), body), output)
    }
}
