import ArgumentParser
import JSON
import MortiseClient

struct MemberAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make somebody a member.",
        discussion: HelpText.discussion(
            """
            Mortise sends no mail: the password is yours to hand over. Without one, a new member cannot sign in yet. Whoever is
            known already gets one more role, and keeps name and password.
            """,
            needs: MemberCommand.needs,
            examples: [
                "member add ada@example.com --organization acme --role admin --ask-password",
                "member add bob@example.com --organization acme --role member --workspace ID --password-file bob.txt",
            ]
        )
    )

    @Argument(help: "The person's e-mail address.")
    var email: String

    @OptionGroup(title: "Where")
    var place: MemberPlace

    @Option(help: ArgumentHelp("The workspace to which the role is limited, by its id.", valueName: "id"))
    var workspace: String?

    @Option(help: "owner (everything), admin (all but owners), member (own client keys) or auditor (reading).")
    var role: MemberRole

    @Option(help: "The person's name.")
    var name: String?

    @OptionGroup(title: "The password")
    var password: PasswordOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard !(password.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("--password-file and --token-file cannot both be standard input.")
        }
    }

    func run() async throws {
        var body = JSONObject()
        body["email"] = .string(email)
        body["role"] = .string(role.rawValue)
        body["workspace_id"] = workspace.map(JSONValue.string)
        body["name"] = name.map(JSONValue.string)
        body["password"] = try await password.password().map { .string($0.reveal()) }
        try await connection.show(.post(place.path(), body), output)
    }
}
