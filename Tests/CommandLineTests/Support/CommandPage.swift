import JSON

/// The help of all commands as a page of Markdown, which does not depend on the width of a terminal.
struct CommandPage {
    private struct Section: Hashable {
        let title: String
        let rows: [String]
    }

    private struct Command {
        let name: String
        let abstract: String
        let discussion: String
        let sections: [Section]
    }

    private let commands: [Command]
    /// The sections that several commands share, in the order of their first use.
    private let shared: [Section]

    /// Reads the description of a program that ArgumentParser prints.
    init(_ description: JSONValue) {
        commands = Self.commands(description["command"], parents: [])
        let sections = commands.flatMap(\.sections).filter { !$0.title.isEmpty }
        let counts = Dictionary(sections.map { ($0, 1) }, uniquingKeysWith: +)
        var shared: [Section] = []
        for section in sections where (counts[section] ?? 0) > 1 {
            // Each title is a heading of the page and must be unique for links.
            if !shared.contains(where: { $0.title == section.title }) { shared.append(section) }
        }
        self.shared = shared
    }

    /// The text of the page.
    var text: String {
        let introduction = """
            # Commands

            A test writes this page from the help of the program, and fails if they differ. To update the page, run
            `MORTISE_RECORD=1 swift test --filter CommandPageTests`.
            """
        let pages = commands.map(page)
        let groups = shared.map { "### \($0.title)\n\n" + Self.table($0.rows) }
        let end = "## Shared options\n\nSeveral commands have these options.\n\n" + groups.joined(separator: "\n\n")
        return ([introduction] + pages + [end]).joined(separator: "\n\n") + "\n"
    }

    private func page(_ command: Command) -> String {
        var parts = ["## \(command.name)", command.abstract]
        for paragraph in command.discussion.split(separator: "\n\n", omittingEmptySubsequences: true) {
            if paragraph.hasPrefix("EXAMPLES:\n") {
                let lines = paragraph.split(separator: "\n").dropFirst().map { $0.dropFirst(2) }
                parts.append("```sh\n\(lines.joined(separator: "\n"))\n```")
            } else {
                let text = String(paragraph)
                parts.append(text.replacing("NEEDS:", with: "Needs:").replacing("EXIT CODES:", with: "Exit codes:"))
            }
        }
        let own = command.sections.filter { !shared.contains($0) }
        let rows = own.flatMap { ($0.title.isEmpty ? [] : ["| **\($0.title)** | |"]) + $0.rows }
        if !rows.isEmpty { parts.append(Self.table(rows)) }
        let links = command.sections.filter(shared.contains).map { "[\($0.title)](#\(Self.anchor($0.title)))" }
        if !links.isEmpty { parts.append("Shared options: \(links.joined(separator: ", ")).") }
        return parts.joined(separator: "\n\n")
    }

    /// Returns the anchor of a heading in the form of GitHub.
    private static func anchor(_ title: String) -> String {
        title.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }.replacing(" ", with: "-")
    }

    private static func table(_ rows: [String]) -> String {
        "| option | meaning |\n|---|---|\n" + rows.joined(separator: "\n")
    }

    private static func commands(_ command: JSONValue?, parents: [String]) -> [Command] {
        guard let name = command?["commandName"]?.string, name != "help" else { return [] }
        let names = parents + [name]
        let own = Command(
            name: names.joined(separator: " "),
            abstract: command?["abstract"]?.string ?? "",
            discussion: command?["discussion"]?.string ?? "",
            sections: sections(command?["arguments"]?.array ?? [])
        )
        return [own] + (command?["subcommands"]?.array ?? []).flatMap { commands($0, parents: names) }
    }

    private static func sections(_ arguments: [JSONValue]) -> [Section] {
        var titles: [String] = []
        var rows: [String: [String]] = [:]
        for argument in arguments {
            let title = argument["sectionTitle"]?.string ?? ""
            guard let row = row(argument) else { continue }
            if rows[title] == nil { titles.append(title) }
            rows[title, default: []].append(row)
        }
        return titles.map { Section(title: $0, rows: rows[$0] ?? []) }
    }

    /// Returns the row of an argument, or `nil` for an argument of every command.
    private static func row(_ argument: JSONValue) -> String? {
        let names = (argument["names"]?.array ?? []).compactMap { $0["name"]?.string }
        guard !names.contains("help"), !names.contains("version") else { return nil }
        let value = "<\(argument["valueName"]?.string ?? "")>"
        let dashed = names.map { ($0.count == 1 ? "-" : "--") + $0 }.sorted { $0.count > $1.count }
        let spelling =
            switch argument["kind"]?.string {
            case "positional": value
            case "flag": dashed.joined(separator: ", ")
            default: dashed.joined(separator: ", ") + " \(value)"
            }
        var facts: [String] = []
        let values = argument["allValueStrings"]?.array ?? argument["allValues"]?.array ?? []
        if !values.isEmpty { facts.append("values: \(values.compactMap(\.string).joined(separator: ", "))") }
        if let standard = argument["defaultValue"]?.string { facts.append("default: \(standard)") }
        let abstract = argument["abstract"]?.string ?? ""
        let meaning = facts.isEmpty ? abstract : "\(abstract) (\(facts.joined(separator: "; ")))"
        return "| `\(spelling)` | \(meaning.replacing("|", with: "\\|").replacing("*", with: "\\*")) |"
    }
}
