import ArgumentParser
import JSON

/// Where a new token goes, which is shown once.
struct TokenOptions: ParsableArguments {
    @Flag(help: "Print the new token on standard output.")
    var showToken = false

    @Option(
        help: ArgumentHelp(
            "Write the new token into a new file that only you may read. A file that exists is never overwritten.",
            valueName: "path"
        )
    )
    var tokenOut: String?

    func validate() throws {
        guard showToken || tokenOut != nil else {
            throw ValidationError("The token is shown once: use --show-token or --token-out PATH. Nothing was sent.")
        }
        guard tokenOut != "-" else { throw ValidationError("--token-out names a file; --show-token prints.") }
    }

    /// Makes the place for the token, runs the body, which makes the token, and puts it there.
    ///
    /// The place comes first: a token that cannot be kept must not be made. If the body fails, the empty file goes.
    func deliver(_ output: OutputOptions, uncertainty: String?, _ body: () async throws -> JSONValue) async throws {
        let file: SecretFile?
        if let tokenOut { file = try SecretFile(creating: tokenOut) } else { file = nil }
        let answer = try await body()
        guard let token = answer["token"]?.string else {
            throw CommandFailure(.unreachable, "The server's answer holds no token.").adding(uncertainty)
        }
        if let file {
            do throws(CommandFailure) {
                try file.finish(token + "\n")
            } catch {
                throw error.adding(uncertainty)
            }
        }
        try show(answer, token: token, output)
    }

    private func show(_ answer: JSONValue, token: String, _ output: OutputOptions) throws {
        guard var object = answer.object else { return }
        if !showToken { object["token"] = nil }
        if output.json {
            try Output.line(JSONValue.object(object).text)
        } else if output.quiet {
            let id = object["key"]?["id"] ?? object["organization"]?["id"]
            try Output.line(showToken ? token : Wording.text(id).printable)
        } else {
            for (index, member) in object.members.filter({ $0.value.object != nil }).enumerated() {
                if index > 0 { try Output.line("") }
                if object["organization"] != nil { try Output.line(member.name.replacing("_", with: " ").uppercased()) }
                for line in Wording.lines(member.value.object ?? JSONObject()) { try Output.line(line) }
            }
            if showToken { try Output.line("\nToken, shown this once: \(token)") }
            if let tokenOut { try Output.line("\nThe token is in \(tokenOut.printable).") }
        }
    }
}
