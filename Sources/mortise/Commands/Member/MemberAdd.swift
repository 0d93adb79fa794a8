import ArgumentParser
import MortiseClient

/// The `mortise member add` command.
struct MemberAdd: ObjectCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a member to an organization.",
        discussion: HelpText.discussion(
            """
            Mortise sends no mail: give the password to the member yourself. A new member without a password can sign in only
            with the identity provider. A person who has an account gets one more role, and keeps name and password.
            """,
            needs: MemberCommand.needs,
            examples: [
                "member add ada@example.com --organization acme --role admin --ask-password",
                "member add bob@example.com --organization acme --role member --workspace shop --password-file bob.txt",
            ]
        )
    )

    @Argument(help: "The e-mail address of the person.")
    var email: String

    @OptionGroup(title: "Organization")
    var place: OrganizationOptions

    @Option(
        help: ArgumentHelp(
            "The workspace that the role is limited to: its id, its slug, or ORGANIZATION/SLUG. (default: all)",
            valueName: "workspace"
        )
    )
    var workspace: String?

    @Option(
        help: """
            owner (all permissions), admin (all except managing owners), member (own client keys), or auditor (read only).
            """
    )
    var role: MemberRole

    @Option(help: "The display name of the person. (default: none)")
    var name: String?

    @OptionGroup(title: "Password")
    var password: PasswordOptions

    @OptionGroup
    var options: CreateOptions

    func validate() throws {
        try options.call.connection.check(password.passwordFile, of: "--password-file")
    }

    func report(_ member: Mortise.Member) -> Report {
        Report(
            sentence: "Added \(member.user.email) as \(member.role.rawValue).",
            members: ["id"],
            next: ["The member signs in with: `mortise login \(member.user.email)`."]
        )
    }

    func request(_ names: Names) async throws -> Request<Mortise.Member> {
        let password = try await password.password()
        let organization = try await names.organization(place.organization)
        let workspace: String? =
            if let workspace { try await names.workspaceID(workspace, in: place.organization) } else { nil }
        let key = options.idempotency.makeKey()
        return Request { client throws(MortiseError) in
            try await client.members(of: organization)
                .add(
                    email: email,
                    role: role.role,
                    workspaceID: workspace,
                    name: name,
                    password: password,
                    idempotencyKey: key
                )
        }
    }
}
