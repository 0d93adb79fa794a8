import ArgumentParser
import JSON
import MortiseClient

/// The `mortise doctor` command.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examine an installation or a server, and say what to do about each problem.",
        discussion: HelpText.discussion(
            """
            Without --url, the command examines the installation on this machine, with the settings of `mortise serve`. With
            --url, it examines a running server from outside: reachability, readiness, version, clock and encryption.

            --ready examines only readiness, which suits the health check of a container.
            """,
            needs: "the settings of `mortise serve`, or a running server; no credential",
            examples: ["doctor", "doctor --url https://keys.example.com", "doctor --ready"],
            exits: """
                0 no problem, 1 at least one problem (with --ready: not ready), 3 no Mortise answers, 64 usage or setting error, \
                130 interrupted
                """
        )
    )

    @Flag(help: "Examine only the readiness of the server.")
    var ready = false

    @Option(
        help: ArgumentHelp(
            "The server to examine. With --ready, also from MORTISE_URL. (default with --ready: \(ServerURL.standard))",
            valueName: "url"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            """
            With --url or --ready: a file with the certificates (PEM) of the authorities to trust instead of the system's. \
            Environment: MORTISE_CA_FILE.
            """,
            valueName: "path"
        ),
        completion: .file()
    )
    var caFile: String?

    @Flag(help: "Show a finding for each workspace, not one for all workspaces with the same fault.")
    var all = false

    @OptionGroup
    var time: TimeoutOptions

    @Flag(help: "Print the findings as a JSON array.")
    var json = false

    @OptionGroup(title: "Installation")
    var installation: InstallationOptions

    private enum Subject {
        /// The installation on this machine.
        case installation
        /// A running server, as its clients see it.
        case server
        /// The readiness of a running server.
        case readiness
    }

    private var subject: Subject {
        if ready { return .readiness }
        return url == nil ? .installation : .server
    }

    func validate() throws {
        if case .installation = subject { return }
        guard installation.given.isEmpty else {
            throw ValidationError("--url and --ready examine a running server. Remove the options of an installation.")
        }
    }

    func run() async throws {
        let findings: [Finding] =
            switch subject {
            case .installation:
                try await runDoctor(DoctorSettings(installation.reader(), timeout: time.limit, showsAll: all))
            case .server: try await checkup().run()
            case .readiness: try await checkup().readiness()
            }
        try show(findings)
        if findings.contains(where: { $0.level == .problem }) { throw ExitCode(CommandFailure.Kind.refused.rawValue) }
    }

    private func checkup() throws(CommandFailure) -> ServerCheckup {
        let authorities = caFile ?? Environment.value(ServerAccess.authoritiesVariable)
        return try ServerCheckup(url: ServerURL.find(option: url), timeout: time.limit, authorities: authorities)
    }

    private func show(_ findings: [Finding]) throws {
        if json {
            try Output.line(JSONValue.array(findings.map(\.json)).outputText)
        } else {
            for line in findings.flatMap(\.lines) { try Output.line(line) }
        }
    }
}
