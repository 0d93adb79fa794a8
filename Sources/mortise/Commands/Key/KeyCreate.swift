import ArgumentParser
import JSON
import MortiseClient

struct KeyCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a key; its token is shown once.",
        discussion: HelpText.discussion(
            """
            Without --show-token or --token-out nothing is made: a token that nobody sees is lost. With --quiet, --show-token
            prints the token alone, for a pipe.
            """,
            needs: HelpText.adminKey,
            examples: [
                "key create CI --workspace shop --scope read:orders --token-out ci.key",
                "key create site --workspace shop --type anon --rate-limit-per-minute 60 --show-token",
                "key create phone --workspace shop --client --subject user_42 --expires-in 90d --show-token",
                "key create auditor --organization ORG --permission keys:read --permission events:read --token-out a.key",
                "key create deploy --workspace shop --show-token --quiet | vault-tool put deploy -",
            ]
        )
    )

    @Argument(help: "The key's name, for people.")
    var name: String

    @OptionGroup(title: "Whose key")
    var place: KeyPlace

    @OptionGroup(title: "What key")
    var identity: KeyIdentity

    @OptionGroup(title: "Settings")
    var fields: KeyFields

    @OptionGroup(title: "The new token")
    var token: TokenOptions

    @OptionGroup(title: "Repeating")
    var idempotency: IdempotencyOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    func validate() throws {
        guard place.client == (identity.subject != nil) else {
            throw ValidationError("--client and --subject go together: a client key belongs to a subject.")
        }
        guard !(fields.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("--metadata-file and --token-file cannot both be standard input.")
        }
    }

    func run() async throws {
        var body = JSONObject()
        body["name"] = .string(name)
        body["subject"] = identity.subject.map(JSONValue.string)
        body["type"] = identity.type.map(JSONValue.string)
        body["mode"] = identity.mode.map(JSONValue.string)
        for member in try await fields.body().members { body[member.name] = member.value }
        let call = Call.post(place.path(), body, idempotencyKey: idempotency.key)
        var note = ""
        if fields.expiresIn != nil, let time = body["expires_at"]?.string {
            note = " and --expires-at \(time) instead of --expires-in"
        }
        try await connection.makeToken(call, token, output, repetitionNote: note)
    }
}
