import Glibc

/// A fault in the settings that does not keep Mortise from running.
package enum SettingWarning: Sendable, Equatable {
    /// An environment variable begins with `MORTISE_` and is not a setting.
    case unknownVariable(String, suggestion: String?)
    /// A member of the settings file is not a setting.
    case unknownMember(String, path: String, line: Int, suggestion: String?)
    /// Every user can read a settings file that holds a secret.
    case readableByOthers(path: String)
    /// Every user can write the settings file.
    case writableByOthers(path: String)

    /// The fault in one sentence, without a secret.
    package var sentence: String {
        switch self {
        case .unknownVariable(let name, _): "The environment variable \(name) is not a setting and has no effect."
        case .unknownMember(let name, let path, let line, _):
            "\(path), line \(line): \(name) is not a setting and has no effect."
        case .readableByOthers(let path): "Every user can read the settings file \(path), which holds a secret."
        case .writableByOthers(let path): "Every user can change the settings file \(path)."
        }
    }

    /// The next step in one sentence.
    package var remedy: String {
        switch self {
        case .unknownVariable(_, let suggestion?), .unknownMember(_, _, _, let suggestion?):
            "Did you mean \(suggestion)?"
        case .unknownVariable(_, nil): "`mortise serve --help` lists all variables."
        case .unknownMember(_, _, _, nil):
            "`mortise serve --help` lists all settings; a member is a variable in lower case, without MORTISE_."
        case .readableByOthers(let path), .writableByOthers(let path): "chmod o-rwx \(path)"
        }
    }
}

extension SettingWarning {
    /// Returns a warning for each variable that begins with `MORTISE_` and that nothing reads.
    static func unknownVariables(in environment: [String: String]) -> [SettingWarning] {
        let settings =
            Settings.members.flatMap { $0.members.map(SettingNames.variable) }
            + [Settings.settingsFile.declaration.variable]
        let known = Set(settings + Settings.otherVariables)
        return environment.keys.sorted()
            .filter { $0.hasPrefix(SettingNames.variablePrefix) && !known.contains($0) }
            .filter { !isServiceLink($0, environment[$0] ?? "") }
            .map { .unknownVariable($0, suggestion: NearestName.find($0, among: settings + Settings.clientVariables)) }
    }

    /// Prints a warning for each variable of the environment that begins with `MORTISE_` and that nothing reads.
    static func printUnknownVariables() throws {
        for warning in unknownVariables(in: Environment.all) { try warning.print() }
    }

    /// Prints the warning on standard error.
    func print() throws {
        let label = Style.warning.paint("Warning:", on: STDERR_FILENO)
        try Output.error("\(label) \(sentence.printable)\n  \(remedy.printable)")
    }

    /// Returns a warning for each member that is not a setting.
    static func unknownMembers(in file: SettingsFile) -> [SettingWarning] {
        let known = Settings.members.flatMap(\.members)
        return file.unknownMembers.map { member in
            .unknownMember(
                member.name,
                path: file.path,
                line: member.line,
                suggestion: NearestName.find(member.name, among: known)
            )
        }
    }

    /// Recognizes the variables that Kubernetes and Docker set for a service named "mortise", such as `MORTISE_PORT_8080_TCP`.
    private static func isServiceLink(_ name: String, _ value: String) -> Bool {
        let rest = name.dropFirst(SettingNames.variablePrefix.count)
        // A person who writes MORTISE_PORT=8080 means the setting `listen` and must be told.
        if rest == "PORT" { return value.hasPrefix("tcp://") || value.hasPrefix("udp://") }
        return ["PORT_", "SERVICE_HOST", "SERVICE_PORT"].contains { rest.hasPrefix($0) }
    }
}
