import ArgumentParser
import MortiseClient

/// The `mortise member change` command.
struct MemberChange: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "change",
        abstract: "Change the role, name or password of a member.",
        discussion: HelpText.discussion(
            """
            Options that are absent change nothing. A new password ends the member's sessions. The last owner of an
            organization keeps that role.
            """,
            needs: MemberCommand.needs,
            examples: [
                "member change ada@example.com --role auditor",
                "member change ada@example.com --organization acme --ask-password",
            ]
        )
    )

    @OptionGroup
    var target: MemberTarget

    @Option(help: "The new role.")
    var role: MemberRole?

    @OptionGroup
    var newName: ClearableNameOptions

    @OptionGroup(title: "Password")
    var password: PasswordOptions

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        try options.connection.check(password.passwordFile, of: "--password-file")
        let changesPassword = password.askPassword || password.passwordFile != nil
        guard role != nil || newName.change != .keep || changesPassword else { throw ValidationError.nothingToChange }
    }

    func report(_ member: Mortise.Member) -> Report {
        Report(sentence: "Changed the member \(member.user.email).", members: ["id", "role"])
    }

    func request(_ names: Names) async throws -> Request<Mortise.Member> {
        let password = try await password.password()
        let member = try await names.member(target)
        return Request { client throws(MortiseError) in
            try await client.members(of: member.organization)
                .change(member.id, role: role?.role, name: newName.change, password: password)
        }
    }
}
