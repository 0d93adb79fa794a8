import ArgumentParser
import JSON
import MortiseClient

struct MemberChange: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change",
        abstract: "Change a member's role, name or password.",
        discussion: HelpText.discussion(
            "Only what is named changes. A new password ends the member's sessions. The last owner stays one.",
            needs: MemberCommand.needs,
            examples: [
                "member change ID --organization acme --role auditor",
                "member change ID --organization acme --ask-password",
            ]
        )
    )

    @OptionGroup var member: MemberArgument

    @OptionGroup(title: "Where")
    var place: MemberPlace

    @Option(help: "The new role: owner, admin, member or auditor.")
    var role: MemberRole?

    @Option(help: "The new name.")
    var name: String?

    @Flag(help: "Take the name away.")
    var clearName = false

    @OptionGroup(title: "The password")
    var password: PasswordOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard name == nil || !clearName else { throw ValidationError("--name and --clear-name exclude each other.") }
        guard !(password.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("--password-file and --token-file cannot both be standard input.")
        }
    }

    func run() async throws {
        var body = JSONObject()
        body["role"] = role.map { .string($0.rawValue) }
        body["name"] = clearName ? .null : name.map(JSONValue.string)
        body["password"] = try await password.password().map { .string($0.reveal()) }
        guard !body.isEmpty else { throw CommandFailure.usage("There is nothing to change.") }
        try await connection.show(.patch(place.path(member.id), body), output)
    }
}
