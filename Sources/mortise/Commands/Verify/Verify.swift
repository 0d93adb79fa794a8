import ArgumentParser
import FoundationEssentials
import JSON
import MortiseClient

/// The `mortise verify` command.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify a token, and explain a refusal.",
        discussion: HelpText.discussion(
            """
            The token comes from --from, from standard input, or from a hidden prompt on a terminal. It is not an argument,
            because ps would show it. The command uses two tokens: the credential (see Connection), and the token to verify.

            With --batch, each line of the file is a token, or a JSON object as POST /v1/verify takes it. The command sends 100
            lines at a time. --json prints one verdict per line, in the order of the file.
            """,
            needs: "a running server, and an admin key with the permission keys:verify",
            examples: [
                "verify",
                "verify --from ci.key --scope read:orders --address 203.0.113.7",
                "verify --batch tokens.txt --json",
            ],
            exits: """
                0 valid, 4 not valid (with --batch: at least one), 1 refused by the server, 3 no Mortise answers, \
                64 usage error, 74 output error, 130 interrupted
                """
        )
    )

    @OptionGroup(title: "Token")
    var source: VerifySource

    @OptionGroup(title: "Conditions")
    var conditions: VerifyConditions

    @OptionGroup(title: "Output")
    var output: VerifyOutput

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    /// The exit code for a token that is not valid.
    private static let invalid = ExitCode(4)

    func validate() throws {
        try connection.check(source.from, of: "--from")
        try connection.check(source.batch, of: "--batch")
    }

    func run() async throws {
        let isValid: Bool
        if let file = source.batch {
            let batch = try await VerifyBatch(file, conditions)
            isValid = try await batch.run(connection.client(), output.format)
        } else {
            isValid = try await verifyOne()
        }
        if !isValid { throw Self.invalid }
    }

    /// Verifies one token and prints the verdict.
    ///
    /// Returns true if the token is valid.
    private func verifyOne() async throws -> Bool {
        let verification = conditions.verification(of: try await token())
        let request = Request { client throws(MortiseError) in
            try await client.verify(
                verification.token,
                scopes: verification.scopes,
                address: verification.address,
                mode: verification.mode,
                namespace: verification.namespace
            )
        }
        let client = try await connection.client()
        let answer = try await client.answer(to: request)
        switch output.format {
        case .text:
            let ends = await tokenEnd(answer.value, verification.token, Names(client))
            for line in VerdictText.lines(answer, ends: ends, isWide: output.wide) { try Output.line(line) }
        case .json: try Output.line(answer.json.outputText)
        case .quiet: break
        }
        return answer.value.isValid
    }

    /// Returns the end of a valid token: of its key, or of the token itself after a rotation.
    ///
    /// A verdict has the end of the key alone. The end of a rotated token is in the key, which the credential may not be able
    /// to read.
    private func tokenEnd(_ verdict: Mortise.Verdict, _ token: SecretToken, _ names: Names) async -> Date? {
        guard verdict.isValid, let key = verdict.key else { return nil }
        let owner = key.workspaceID
        let collection: KeyCollection = key.kind == "client" ? .client(workspace: owner) : .service(workspace: owner)
        let read = try? await names.read { client throws(MortiseError) in try await client.keys(collection).get(key.id)
        }
        let secret = read?.secrets.first { token.reveal().hasPrefix($0.prefix) }
        return [key.expiresAt, read?.gracePeriodEndsAt, secret?.endsAt].compactMap(\.self).min()
    }

    private func token() async throws -> SecretToken {
        if let from = source.from { return try await from.readToken(option: "--from") }
        if !Terminal.isInput {
            guard connection.tokenFile?.isStandardInput != true else {
                throw CommandFailure.usage(
                    "Standard input holds the credential. Name the file of the token to verify with --from."
                )
            }
            return try await InputFile.standardInput.readToken(option: "--from")
        }
        let missing = CommandFailure.usage(
            "There is no token. Name its file with --from, or pass it on standard input."
        )
        return try SecretToken(
            checking: try await HiddenPrompt.ask("Token to verify: ", orThrow: missing),
            from: "The input"
        )
    }
}
