import ArgumentParser
import JSON
import MortiseClient

/// A command that lists sessions, which have no pages.
protocol SessionsCommand: CallCommand where Options == CallOptions {
    /// Returns the request. Looks names up.
    func request(_ names: Names) async throws -> Request<[Mortise.SessionSummary]>
}

extension SessionsCommand {
    func run() async throws {
        let output = options.output
        let names = try await names()
        let answer = try await names.explained { try await names.answer(to: request(names)) }
        switch output.format {
        case .text:
            var table = TablePrinter(columns(isWide: output.wide))
            try table.print(answer.value)
            if table.isEmpty { try Output.error("No items found.") }
        case .json: try Output.line((answer.json["data"] ?? []).outputText)
        case .quiet: for session in answer.value { try Output.line(session.id.printable) }
        }
    }

    private func columns(isWide: Bool) -> [TableColumn<Mortise.SessionSummary>] {
        [
            TableColumn("ID") { $0.id },
            TableColumn("ADDRESS") { DisplayText.optional($0.address) },
            .time("BEGAN", isWide: isWide) { $0.createdAt },
            .time("ENDS", isWide: isWide) { min($0.refreshUntil, $0.expiresAt) },
            TableColumn("") { $0.isCurrent ? "this session" : "" },
        ]
    }
}

/// The `mortise session` commands.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Manage your own sessions: list, end.",
        discussion: HelpText.reflowed(
            "`mortise login` begins a session and `mortise logout` ends it. These commands reach the others."
        ),
        subcommands: [SessionList.self, SessionEnd.self]
    )

    static let needs = "a running server, and the session of `mortise login`"
}

/// The `mortise session list` command.
struct SessionList: SessionsCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List your sessions that have not ended.",
        discussion: HelpText.discussion(
            "The list has up to 100 sessions, newest first.",
            needs: SessionCommand.needs,
            examples: ["session list"]
        )
    )

    @OptionGroup
    var options: CallOptions

    func request(_ names: Names) -> Request<[Mortise.SessionSummary]> {
        Request { client throws(MortiseError) in try await client.sessions() }
    }
}

/// The `mortise session end` command.
struct SessionEnd: ActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End one of your sessions, or all others.",
        discussion: HelpText.discussion(
            "The tokens of a session that ended are refused at once.",
            needs: SessionCommand.needs,
            examples: ["session end 0198c0de-0000-7000-8000-000000000001", "session end --others"]
        )
    )

    @Argument(help: ArgumentHelp("The id of the session.", valueName: "id"))
    var id: String?

    @Flag(help: "End all of your sessions except the one of this command.")
    var others = false

    @OptionGroup
    var options: CallOptions

    func validate() throws {
        guard (id != nil) != others else { throw ValidationError("Name one session, or use --others.") }
    }

    var success: String { others ? "Ended your other sessions." : "Ended the session." }

    func request(_ names: Names) -> Request<Void> {
        if let id { names.note(.id(id, noun: "session", list: "session list")) }
        return Request { client throws(MortiseError) in
            if let id { try await client.endSession(id) } else { _ = try await client.endOtherSessions() }
        }
    }
}
