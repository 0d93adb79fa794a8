import ArgumentParser
import JSON

/// Finds the word of a command line that no command knows, or that stands in the wrong place.
///
/// ArgumentParser checks the values of options first, so that a mistyped option shows as another that is missing.
enum UnknownArgument {
    /// Returns the failure for an unknown command, option or value, or `nil` if all words are known.
    static func failure(_ arguments: [String], of root: any ParsableCommand.Type) -> CommandFailure? {
        var command = root
        var path = [root._commandName]
        var rest = arguments[...]
        while let word = rest.popFirst(), word != "--" {
            if word.hasPrefix("-") {
                if path.count == 1 { return misplaced(option: word, before: Array(rest), of: root) }
                rest = [word] + rest
                break
            }
            let commands = subcommands(of: command)
            if commands.isEmpty {
                rest = [word] + rest
                break
            }
            if word == "help" { return nil }
            guard let next = commands.first(where: { names(of: $0).contains(word) }) else {
                return unknown(command: word, among: commands, path)
            }
            command = next
            path.append(next._commandName)
        }
        return unknownOption(in: Array(rest), of: command, path)
    }

    /// Returns the failure for a command line that asks for the help of an unknown command, or `nil` for any other.
    ///
    /// ArgumentParser shows the help of the last command that it knows.
    static func topicFailure(_ arguments: [String], of root: any ParsableCommand.Type) -> CommandFailure? {
        guard arguments.first == "help" else { return nil }
        var command = root
        var path = [root._commandName]
        for word in arguments.dropFirst() {
            let commands = subcommands(of: command)
            guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = commands.first(where: { names(of: $0).contains(word) }) else {
                return unknown(command: word, among: commands, path)
            }
            command = next
            path.append(next._commandName)
        }
        return nil
    }

    private static func subcommands(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        let configuration = command.configuration
        return configuration.ungroupedSubcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
    }

    private static func names(of command: any ParsableCommand.Type) -> [String] {
        [command._commandName] + command.configuration.aliases
    }

    /// Returns the failure for an option that stands before the command, or `nil` if the command that follows lacks it.
    private static func misplaced(
        option word: String,
        before rest: [String],
        of root: any ParsableCommand.Type
    ) -> CommandFailure? {
        let flag = String(word.prefix { $0 != "=" })
        guard flag.hasPrefix("--") else { return nil }
        let name = String(flag.dropFirst(2))
        // The value of the option can stand before the command, and can be spelled like one.
        for start in [rest[...], rest.dropFirst()] {
            let path = self.path(start, of: root)
            guard let command = path.last, path.count > 1, has(option: name, command) else { continue }
            let spelled = path.map { $0._commandName }.joined(separator: " ")
            return belongs(flag, after: spelled)
        }
        guard path(rest[...], of: root).count == 1, path(rest.dropFirst(), of: root).count == 1,
            isKnown(option: name, below: root)
        else { return nil }
        return belongs(flag, after: "\(root._commandName) COMMAND")
    }

    private static func belongs(_ flag: String, after command: String) -> CommandFailure {
        .usage("The option \(flag) belongs after the command.", details: ["Write `\(command) \(flag) …`."])
    }

    private static func isKnown(option name: String, below command: any ParsableCommand.Type) -> Bool {
        subcommands(of: command).contains { has(option: name, $0) || isKnown(option: name, below: $0) }
    }

    /// Returns the commands that words name, from the root on, up to the first word that names none.
    private static func path(
        _ words: ArraySlice<String>,
        of root: any ParsableCommand.Type
    ) -> [any ParsableCommand.Type] {
        var path: [any ParsableCommand.Type] = [root]
        for word in words {
            guard let command = path.last,
                let next = subcommands(of: command).first(where: { names(of: $0).contains(word) })
            else { break }
            path.append(next)
        }
        return path
    }

    private static func has(option name: String, _ command: any ParsableCommand.Type) -> Bool {
        let limits = JSONLimits(maximumBytes: 1 << 22)
        let dump = try? JSONValue(parsing: Array(command._dumpHelp().utf8), limits: limits)
        let names = (dump?["command"]?["arguments"]?.array ?? []).flatMap { $0["names"]?.array ?? [] }
        return names.contains { $0["name"]?.string == name }
    }

    private static func unknownOption(
        in words: [String],
        of command: any ParsableCommand.Type,
        _ path: [String]
    ) -> CommandFailure? {
        let limits = JSONLimits(maximumBytes: 1 << 22)
        let dump = try? JSONValue(parsing: Array(command._dumpHelp().utf8), limits: limits)
        guard let arguments = dump?["command"]?["arguments"]?.array else { return nil }
        let options = arguments.flatMap { argument in
            (argument["names"]?.array ?? []).compactMap { $0["name"]?.string }.map { (name: $0, option: argument) }
        }
        var rest = words[...]
        while let word = rest.popFirst(), word != "--" {
            guard word.hasPrefix("--") else { continue }
            let name = String(word.dropFirst(2).prefix { $0 != "=" })
            // Every command has these, and the description does not.
            if ["help", "help-hidden", "version", "generate-completion-script"].contains(name) { return nil }
            guard let known = options.first(where: { $0.name == name }) else {
                return unknown(option: name, among: options.map(\.name), path)
            }
            guard known.option["kind"]?.string == "option" else { continue }
            let value = word.contains("=") ? String(word.drop { $0 != "=" }.dropFirst()) : rest.popFirst()
            let choices = (known.option["allValues"]?.array ?? []).compactMap(\.string)
            guard let value, !choices.isEmpty, !choices.contains(value),
                let near = MistypedValue.suggestion(for: value, among: choices)
            else { continue }
            return .usage(
                "--\(name) has no value \"\(value)\".",
                details: [near, "The values are \(choices.joined(separator: ", "))."]
            )
        }
        return nil
    }

    private static func unknown(option name: String, among names: [String], _ path: [String]) -> CommandFailure {
        let near = NearestName.suggestion(for: name, among: names.map { ("--\($0)", $0) })
        return .usage(
            "`\(path.joined(separator: " "))` has no option --\(name).",
            details: (near.map { ["Did you mean \($0)?"] } ?? [])
                + ["`mortise help \(path.dropFirst().joined(separator: " "))` lists its options."]
        )
    }

    private static func unknown(
        command word: String,
        among commands: [any ParsableCommand.Type],
        _ path: [String]
    ) -> CommandFailure {
        let near = NearestName.suggestion(for: word, among: commands.flatMap(names).map { ($0, "") })
        let spelled = path.joined(separator: " ")
        return .usage(
            "There is no command `\(spelled) \(word)`.",
            details: (near.map { ["Did you mean `\(spelled) \($0)`?"] } ?? [])
                + ["`\(spelled) --help` lists the commands."]
        )
    }
}
