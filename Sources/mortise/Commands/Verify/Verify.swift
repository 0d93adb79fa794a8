import ArgumentParser
import JSON
import MortiseClient

/// `mortise verify`.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask whether a token is valid, and why not.",
        discussion: HelpText.discussion(
            """
            The token comes from --from, from standard input, or from a hidden prompt on a terminal; it is not an argument, for ps
            would show it. Two tokens are at work: the credential, which asks (see Connection), and the one that is asked about.

            With --batch, each line of the file is a token, or a JSON object as POST /v1/verify takes it. They are asked a hundred
            at a time; --json prints one verdict a line, in the order of the file.
            """,
            needs: "a running server, and an admin key with the permission keys:verify",
            examples: [
                "verify",
                "verify --from ci.key --scope read:orders --address 203.0.113.7",
                "verify --batch tokens.txt --json",
            ],
            exits: """
                0 valid, 4 not valid (with --batch: any of them), 1 refused by the server, 3 no Mortise answers, 64 wrong usage, \
                74 output not written, 130 interrupted
                """
        )
    )

    @OptionGroup(title: "The token")
    var source: VerifySource

    @OptionGroup(title: "What is asked of it")
    var question: VerifyQuestion

    @OptionGroup(title: "Output")
    var output: VerifyOutput

    @OptionGroup(title: "Connection")
    var connection: ConnectionOptions

    /// The exit code for a token that is not valid.
    static let invalid = ExitCode(4)

    func validate() throws {
        guard !(source.takesStandardInput && connection.takesStandardInput) else {
            throw ValidationError("Standard input cannot hold both the credential and what is verified.")
        }
    }

    func run() async throws {
        let isValid: Bool
        if let batch = source.batch {
            isValid = try await VerifyBatch(path: batch, question: question, output: output).run(connection)
        } else {
            isValid = try await single()
        }
        if !isValid { throw Verify.invalid }
    }

    private func single() async throws -> Bool {
        let token = try await subjectToken()
        let verdict = try await connection.withClient {
            try await $0.send(.post(["v1", "verify"], question.body(token)))
        }
        guard let verdict, let isValid = verdict["valid"]?.bool else {
            throw CommandFailure(.unreachable, "The server's answer is not a verdict.")
        }
        if output.json {
            try Output.line(verdict.text)
        } else if !output.quiet {
            for line in VerdictWording.lines(verdict) { try Output.line(line) }
        }
        return isValid
    }

    private func subjectToken() async throws -> SecretText {
        if let from = source.from { return try await Credential.fromFile(from, flag: "--from") }
        if !Terminal.isInput {
            guard !connection.takesStandardInput else {
                throw CommandFailure.usage(
                    "Standard input holds the credential already: name the token's file with --from."
                )
            }
            return try await Credential.fromFile("-", flag: "--from")
        }
        do {
            return try Credential.checked(await HiddenPrompt.read("Token to verify: "), from: "What was typed")
        } catch HiddenPrompt.Fault.noTerminal {
            throw CommandFailure.usage("There is no token: name its file with --from, or put it on standard input.")
        } catch HiddenPrompt.Fault.interrupted {
            throw CommandFailure(.interrupted, "Interrupted; nothing was sent.")
        }
    }
}
