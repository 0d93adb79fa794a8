import Yams

extension SettingsFile {
    /// Reads the text of a settings file.
    ///
    /// - Parameters:
    ///   - bytes: The text, in UTF-8.
    ///   - path: The path of the file, for messages.
    /// - Throws: `CommandFailure` of kind `usage` if the text is malformed.
    package init(parsing bytes: [UInt8], path: String) throws(CommandFailure) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Self.malformed(path, nil, "the text is not UTF-8")
        }
        var parser = MemberParser(path: path)
        try parser.read(Self.root(of: text, path: path))
        self.init(path: path, entries: parser.entries, unknownMembers: parser.unknownMembers)
    }

    private static func root(of text: String, path: String) throws(CommandFailure) -> Node? {
        do {
            // With a given encoding, Yams does not ask the environment for one.
            return try Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw malformed(error, in: text, path: path)
        } catch {
            throw malformed(path, nil, "the text is not YAML")
        }
    }

    /// Names the place and the fault.
    ///
    /// The description of a `YamlError` quotes the line, which may hold a secret.
    private static func malformed(_ error: YamlError, in text: String, path: String) -> CommandFailure {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            malformed(path, mark.line, "the text is not YAML: \(problem)")
        case .reader(let problem, let offset, _, _):
            malformed(
                path,
                offset.map { text.prefix($0).count(where: \.isNewline) + 1 },
                "the text is not YAML: \(problem)"
            )
        case .duplicatedKeysInMapping(let members, let context):
            CommandFailure.usage(
                "\(path), line \(context.mark.line): \(members.joined(separator: ", ")) appears more than once.",
                details: ["Keep one of the lines."]
            )
        default: malformed(path, nil, "the text is not YAML")
        }
    }

    fileprivate static func malformed(_ path: String, _ line: Int?, _ fault: String) -> CommandFailure {
        let place = line.map { "\(path), line \($0)" } ?? path
        return .usage(
            "\(place): \(fault).",
            details: ["A settings file has one member and its value on each line, such as listen: 127.0.0.1:8080."]
        )
    }
}

/// Reads the members of a settings file's root.
private struct MemberParser {
    let path: String
    var entries: [String: SettingsFile.Entry] = [:]
    var unknownMembers: [SettingsFile.UnknownMember] = []

    private let declarations = Dictionary(
        uniqueKeysWithValues: Settings.members.flatMap { setting in setting.members.map { ($0, setting) } }
    )

    init(path: String) { self.path = path }

    mutating func read(_ root: Node?) throws(CommandFailure) {
        switch root {
        // An empty file, or one with comments alone.
        case nil: return
        case .scalar(let scalar)? where scalar.isNull: return
        case .mapping(let members)?:
            for (name, value) in members { try read(name, value) }
        case .sequence?: throw SettingsFile.malformed(path, root?.mark?.line, "the file holds a list, not members")
        case .scalar?, .alias?:
            throw SettingsFile.malformed(path, root?.mark?.line, "the file holds a text, not members")
        }
    }

    private mutating func read(_ name: Node, _ value: Node) throws(CommandFailure) {
        let line = name.mark?.line ?? 1
        guard case .scalar(let scalar) = name else {
            throw SettingsFile.malformed(path, line, "the name of the member is not text")
        }
        let member = scalar.string
        guard let setting = declarations[member] else {
            unknownMembers.append(SettingsFile.UnknownMember(name: member, line: line))
            return
        }
        guard let text = try text(value, of: member, setting, line), !text.isEmpty else { return }
        entries[member] = SettingsFile.Entry(text: SecretText(text), line: line)
    }

    /// Returns the text of a value, or `nil` if the member has no value.
    private func text(
        _ value: Node,
        of member: String,
        _ setting: SettingDeclaration,
        _ line: Int
    ) throws(CommandFailure) -> String? {
        switch value {
        case .scalar(let scalar): return scalar.isNull ? nil : scalar.string
        case .sequence(let sequence) where setting.isList && sequence.allSatisfy({ $0.scalar != nil }):
            return sequence.compactMap { $0.scalar?.string }.joined(separator: ", ")
        case .sequence: throw shapeFault("a list", member, setting, line)
        case .mapping, .alias: throw shapeFault("a mapping", member, setting, line)
        }
    }

    private func shapeFault(
        _ shape: String,
        _ member: String,
        _ setting: SettingDeclaration,
        _ line: Int
    ) -> CommandFailure {
        let expected = member == setting.member ? setting.expected : "the path of a file"
        return .usage(
            "\(path), line \(line): \(member) is \(shape), which is not \(expected).",
            details: ["Write the value behind the colon, in quotation marks if it has special characters."]
        )
    }
}

extension Node.Scalar {
    /// True if the value is absent: `member:`, `member: ~` or `member: null`.
    fileprivate var isNull: Bool { style == .plain && ["", "~", "null", "Null", "NULL"].contains(string) }
}
