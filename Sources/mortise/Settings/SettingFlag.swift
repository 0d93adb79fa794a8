import ArgumentParser

/// A flag of the command line that gives a setting.
package struct SettingFlag: Sendable {
    /// The member that the flag spells, such as `log_level`, or `admin_key_file` for a file with a secret.
    let member: String
    /// The text behind the flag.
    let text: String

    /// Describes a flag.
    package init(_ setting: SettingDeclaration, _ text: String) {
        member = setting.flagMember
        self.text = text
    }

    /// The flag and its text, in quotation marks where a shell needs them.
    var words: String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy(Self.isPlain)
        let quoted = isPlain ? text : "'\(text.replacing("'", with: "'\\''"))'"
        return "\(SettingNames.flag(member)) \(quoted)"
    }

    /// Returns true for a byte that no shell changes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "/._-+:@%".utf8.contains(byte)
        }
    }
}

extension Option where Value == SettingFlag? {
    /// The flag of a setting, with the name, the help and the default of its declaration.
    init<Type>(_ setting: Setting<Type>) {
        let declaration = setting.declaration
        self.init(
            name: .customLong(SettingNames.flagName(declaration.flagMember)),
            help: ArgumentHelp(declaration.flagHelp, valueName: declaration.placeholder),
            transform: { SettingFlag(declaration, $0) }
        )
    }
}

extension SettingDeclaration {
    /// The help of the flag, with the variable and the default.
    fileprivate var flagHelp: String {
        let file = isSecret ? " The flag names a file that holds it." : ""
        return "\(help)\(file) Environment: \(variable). (default: \(defaultText))"
    }
}
