import ArgumentParser
import JSON
import MortiseClient

/// `mortise doctor`.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is wrong with this installation, in sentences.",
        discussion: HelpText.discussion(
            """
            Without --url it examines the installation on this machine, with the settings of `mortise serve`. With --url it
            examines a running server from outside: is it reachable and ready, which version is it, do the clocks agree, is the
            connection encrypted. Each thing that is wrong comes with what to do about it.

            --ready asks the server one thing, whether it is ready, which suits a container's health check.
            """,
            needs: "the settings of `mortise serve`, or a server; no credential",
            examples: ["doctor", "doctor --url https://keys.example.com", "doctor --ready"],
            exits: """
                0 nothing is wrong, 1 something is (with --ready: not ready), 3 no Mortise answers, 64 wrong usage, 130 interrupted
                """
        )
    )

    @Flag(help: "Only whether the server is ready.")
    var ready = false

    @Option(
        help: ArgumentHelp(
            "Examine this server. With --ready also from MORTISE_URL. (default for --ready: \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(help: ArgumentHelp("How many seconds the examination may take, 1 to 3600.", valueName: "seconds"))
    var timeout = 30

    @Flag(help: "Print the findings as a JSON array.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600 seconds.") }
        let isOutside = url != nil || ready
        guard !isOutside || installation.flags.values.allSatisfy({ $0 == nil }) else {
            throw ValidationError(
                "--url and --ready examine a running server; the flags of an installation do not go with them."
            )
        }
    }

    func run() async throws {
        let findings: [Finding]
        if url != nil || ready {
            let checkup = ServerCheckup(url: try server(), timeout: .seconds(timeout))
            findings = try await ready ? checkup.readiness() : checkup.run()
        } else {
            findings = try await runDoctor(DoctorSettings(installation.reader(), timeout: .seconds(timeout)))
        }
        try show(findings)
        if findings.contains(where: { $0.level == .problem }) { throw ExitCode(CommandFailure.Kind.refused.rawValue) }
    }

    private func server() throws(CommandFailure) -> ServerURL {
        if let url { return try ServerURL(url, from: "--url") }
        return try ServerURL(Environment.value("MORTISE_URL") ?? ServerURL.standard, from: "MORTISE_URL")
    }

    private func show(_ findings: [Finding]) throws {
        if json {
            try Output.line(JSONValue.array(findings.map(\.json)).text)
        } else {
            for finding in findings {
                for line in finding.lines { try Output.line(line) }
            }
        }
    }
}
