import Configuration
import Keys

/// Reads settings from flags, environment variables and a settings file.
///
/// A flag wins over a variable, and a variable over the file.
///
/// swift-configuration looks the values up in this order. `CONFIG_ACCESS_LOG_FILE`, a variable of swift-configuration, names a
/// file that gets a line for each look-up, with the source of the value and without secrets.
package struct SettingReader: Sendable {
    /// A text and the name of its source.
    struct Found: Sendable {
        /// The text.
        ///
        /// It may be a secret.
        let text: String
        /// The flag, the variable, or the member with its file and line.
        let source: String
    }

    /// The settings file that was read.
    ///
    /// `nil` if there is none.
    package let file: SettingsFile?
    /// The faults that do not keep Mortise from running.
    package let warnings: [SettingWarning]

    private let values: ConfigReader
    private let origins: SettingOrigins

    /// Combines the sources of settings.
    ///
    /// - Parameters:
    ///   - flags: The flags that the command line has.
    ///   - environment: All environment variables. An empty variable counts as unset, as in a compose file with `${X:-}`.
    ///   - file: The settings file, if there is one.
    package init(flags: [SettingFlag], environment: [String: String], file: SettingsFile?) {
        let variables = environment.filter { $0.key.hasPrefix(SettingNames.variablePrefix) && !$0.value.isEmpty }
        self.file = file
        warnings =
            SettingWarning.unknownVariables(in: variables)
            + (file.map { SettingWarning.unknownMembers(in: $0) + $0.permissionWarnings } ?? [])
        origins = SettingOrigins()
        let secrets = Set(Settings.members.filter(\.isSecret).map(\.member))
        values = ConfigReader(
            providers: [
                InMemoryProvider(
                    name: SettingOrigin.flag.rawValue,
                    values: Self.values(flags.map { ($0.member, $0.text) }, secrets)
                ),
                EnvironmentVariablesProvider(
                    environmentVariables: variables,
                    secretsSpecifier: .specific(Set(secrets.map(SettingNames.variable)))
                ),
                InMemoryProvider(
                    name: SettingOrigin.file.rawValue,
                    values: Self.values(file?.entries.map { ($0.key, $0.value.text.reveal()) } ?? [], secrets)
                ),
            ],
            accessReporter: origins
        )
        .scoped(to: Self.scope)
    }

    /// Finds the settings file and combines the sources.
    ///
    /// - Parameters:
    ///   - flags: The flags that the command line has.
    ///   - environment: All environment variables.
    ///   - standardFile: The settings file that is read if no other is named and it exists.
    /// - Returns: The reader of all sources.
    /// - Throws: `CommandFailure` of kind `usage` if a settings file that is named or exists cannot be read.
    package static func load(
        flags: [SettingFlag],
        environment: [String: String],
        standardFile: String = SettingsFile.standardPath
    ) throws(CommandFailure) -> SettingReader {
        let named = try SettingReader(flags: flags, environment: environment, file: nil).value(Settings.settingsFile)
        let file: SettingsFile? =
            if let named { try SettingsFile(readingFrom: named) } else { try .readingIfPresent(standardFile) }
        return SettingReader(flags: flags, environment: environment, file: file)
    }

    /// Returns the value of a setting, or its default if no source gives one.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the text is not a value of the setting. The error names the source, and
    ///   quotes the text unless the setting is secret.
    func value<Value>(_ setting: Setting<Value>) throws(CommandFailure) -> Value {
        guard let found = try find(setting) else { return setting.defaultValue }
        do throws(SettingFault) {
            return try setting.form.parse(found.text)
        } catch {
            throw failure(setting, found, error)
        }
    }

    /// Returns the text of a setting and its source.
    ///
    /// The text of a secret may come from a file that the source names.
    func find<Value>(_ setting: Setting<Value>) throws(CommandFailure) -> Found? {
        let declaration = setting.declaration
        let inline = lookUp(declaration.member, isSecret: declaration.isSecret)
        guard declaration.isSecret else { return inline.map { Found(text: $0.text, source: $0.source) } }
        let inFile = lookUp(declaration.fileMember, isSecret: false)
        switch (inline, inFile) {
        case (nil, nil): return nil
        case (let inline?, nil): return Found(text: inline.text, source: inline.source)
        case (nil, let inFile?): return try read(inFile)
        case (let inline?, let inFile?):
            guard inline.origin != inFile.origin else {
                throw .usage("\(inline.source) and \(inFile.source) are both given.", details: ["Keep one of them."])
            }
            return inline.origin < inFile.origin ? Found(text: inline.text, source: inline.source) : try read(inFile)
        }
    }

    /// True if the flag of the setting is on the command line.
    func hasFlag<Value>(_ setting: Setting<Value>) -> Bool {
        lookUp(setting.declaration.flagMember, isSecret: false)?.origin == .flag
    }

    // MARK: - Looking up

    private static let scope: ConfigKey = "mortise"

    private struct LookUp {
        let text: String
        let origin: SettingOrigin
        let source: String
    }

    private static func values(
        _ texts: [(member: String, text: String)],
        _ secrets: Set<String>
    ) -> [AbsoluteConfigKey: ConfigValue] {
        Dictionary(
            texts.map { member, text in
                let key = AbsoluteConfigKey(scope.components + [member])
                return (key, ConfigValue(.string(text), isSecret: secrets.contains(member)))
            },
            uniquingKeysWith: { $1 }
        )
    }

    private func lookUp(_ member: String, isSecret: Bool) -> LookUp? {
        guard let text = values.string(forKey: ConfigKey([member]), isSecret: isSecret),
            let origin = origins.origin(of: member)
        else { return nil }
        let source =
            switch origin {
            case .flag: SettingNames.flag(member)
            case .variable: SettingNames.variable(member)
            case .file: "\(member) (\(file?.path ?? ""), line \(file?.entries[member]?.line ?? 0))"
            }
        return LookUp(text: text, origin: origin, source: source)
    }

    private func read(_ found: LookUp) throws(CommandFailure) -> Found {
        do throws(FileAccess.Fault) {
            let bytes = try FileAccess.readNow(found.text, limit: 16_384)
            let text = String(decoding: bytes, as: UTF8.self).trimmingBlanks
            guard !text.isEmpty else { throw FileAccess.Fault(reason: "it is empty", isExisting: false) }
            return Found(text: text, source: "\(found.text) (\(found.source))")
        } catch {
            throw .usage("\(found.text), which \(found.source) names, cannot be read: \(error.reason).")
        }
    }

    // MARK: - Faults

    private func failure<Value>(_ setting: Setting<Value>, _ found: Found, _ fault: SettingFault) -> CommandFailure {
        let (declaration, form) = (setting.declaration, setting.form)
        let next = form.advice ?? "Correct it, or remove it to use the default: \(declaration.defaultText)."
        return switch fault {
        case .form where declaration.isSecret: .usage("\(found.source) is not \(form.expected).", details: [next])
        case .form: .usage("\(found.source) is \"\(found.text)\", which is not \(form.expected).", details: [next])
        case .precise(let sentence):
            .usage("\(found.source): \(sentence)", details: ["It must be \(form.expected).", next])
        }
    }
}

// The values of all sources are inside, secrets among them.
extension SettingReader: Redacted {}
