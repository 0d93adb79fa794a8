import ArgumentParser
import JSON
import MortiseClient

/// `mortise doctor`.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examine an installation and report each fault in a sentence.",
        discussion: HelpText.discussion(
            """
            Without --url, the command examines the installation on this machine, with the settings of `mortise serve`. With
            --url, it examines a running server from outside: can it be reached, is it ready, which version is it, do the clocks
            agree, is the connection encrypted. Each fault comes with the next step.

            With --ready, the command only asks the server if it is ready. Use it as the health check of a container.
            """,
            needs: "the settings of `mortise serve`, or a server. No credential",
            examples: ["doctor", "doctor --url https://keys.example.com", "doctor --ready"],
            exits: """
                0 no problem, 1 at least one problem (with --ready: not ready), 3 no Mortise answers, 64 wrong usage or setting, \
                130 interrupted
                """
        )
    )

    @Flag(help: "Only ask the server if it is ready.")
    var ready = false

    @Option(
        help: ArgumentHelp(
            "Examine this server. With --ready also from MORTISE_URL. (default for --ready: \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(help: ArgumentHelp("End the examination after this many seconds, 1 to 3600.", valueName: "seconds"))
    var timeout = 30

    @Flag(help: "Print the findings as a JSON array.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600 seconds.") }
        guard (url == nil && !ready) || installation.given.isEmpty else {
            throw ValidationError(
                "--url and --ready examine a running server and exclude the flags of an installation."
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
