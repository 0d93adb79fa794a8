import ArgumentParser
import JSON
import MortiseClient

/// The `mortise whoami` command.
struct Whoami: CallCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the current identity, its permissions and the server.",
        discussion: HelpText.discussion(
            "The command also says where the credential comes from.",
            needs: "a running server, and a credential (see Connection)",
            examples: ["whoami", "whoami --token-file admin.key --json"]
        )
    )

    @OptionGroup
    var options: CallOptions

    func run() async throws {
        let client = try await options.connection.client()
        let names = Names(client)
        let answer = try await names.answer(to: Request { client throws(MortiseError) in try await client.me() })
        let identity = answer.value
        let output = options.output
        switch output.format {
        case .json: try Output.line(answer.json.outputText)
        case .quiet: try Output.line((identity.user?.email ?? identity.name ?? identity.type).printable)
        case .text where output.wide: for line in ObjectText(answer.json).everything { try Output.line(line) }
        case .text:
            if let id = identity.organizationID { try await names.learnOrganizations([id]) }
            for line in ObjectText.aligned(rows(identity, client, names)) { try Output.line(line) }
        }
    }

    private func rows(
        _ identity: Mortise.Identity,
        _ client: ServerClient,
        _ names: Names
    ) -> [(name: String, text: String)] {
        let who = identity.user?.email ?? identity.name ?? "unnamed"
        let kind = identity.type.replacing("_", with: " ")
        let roles = Set(identity.memberships.map(\.role.rawValue)).sorted()
        return [
            ("identity", "\(who) (\(kind))"),
            ("organization", identity.organizationID.map(names.organizationSlug) ?? "none: the whole platform"),
            ("roles", roles.joined(separator: ", ")),
            ("permissions", DisplayText.list(identity.permissions)),
            ("server", client.url.text),
            ("credential", client.source),
        ]
        .filter { !$0.1.isEmpty }
    }
}
