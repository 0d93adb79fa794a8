
/// Finds the value of a setting: the flag, else the environment variable, else nothing.
package struct SettingReader: Sendable {
    /// A value and what to call its source in a message.
    package struct Found: Sendable {
        let text: String
        let source: String
    }

    private let flags: [Setting: String]
    private let variable: @Sendable (String) -> String?

    /// Reads from flags that were given and from an environment, in which an empty variable counts as unset.
    package init(flags: [Setting: String?], environment: @escaping @Sendable (String) -> String?) {
        self.flags = flags.compactMapValues { $0 }
        variable = { environment($0).flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// The text of a setting; that of a secret is read from the file that its flag names.
    func find(_ setting: Setting) throws(CommandFailure) -> Found? {
        if let flag = flags[setting] {
            guard setting.isSecret else { return Found(text: flag, source: setting.flag) }
            return Found(text: try secret(inFile: flag, of: setting), source: "\(flag) (\(setting.flag))")
        }
        return variable(setting.variable).map { Found(text: $0, source: setting.variable) }
    }

    /// Whether the flag itself was given.
    func hasFlag(_ setting: Setting) -> Bool { flags[setting] != nil }

    /// A setting of another type; `expected` ends the message "… is not …".
    func value<Value>(
        _ setting: Setting,
        default: Value,
        expected: String,
        _ parse: (String) -> Value?
    ) throws(CommandFailure) -> Value {
        guard let found = try find(setting) else { return `default` }
        guard let value = parse(found.text) else {
            throw .usage("\(found.source) is \"\(found.text)\", which is not \(expected).")
        }
        return value
    }

    private func secret(inFile path: String, of setting: Setting) throws(CommandFailure) -> String {
        do throws(FileAccess.Fault) {
            let text = String(decoding: try FileAccess.readNow(path, limit: 16_384), as: UTF8.self).trimmingBlanks
            guard !text.isEmpty else { throw FileAccess.Fault(reason: "it is empty", isExisting: false) }
            return text
        } catch {
            throw .usage("\(path), which \(setting.flag) names, cannot be read: \(error.reason).")
        }
    }
}
