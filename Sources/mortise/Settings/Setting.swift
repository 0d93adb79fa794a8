/// A setting: its names, its help, the values it accepts and its default.
///
/// Flag, variable, member of the settings file, `--help`, the table in `docs/operations.md`, and the checks of a value all
/// derive from this one declaration.
package struct Setting<Value: Sendable>: Sendable {
    /// The part of the declaration that does not depend on the type of the value.
    package let declaration: SettingDeclaration
    /// The conversion from text.
    let form: SettingForm<Value>
    /// The value that applies if no source gives one.
    let defaultValue: Value

    /// Declares a setting.
    ///
    /// - Parameters:
    ///   - member: The name of the setting as a member of the settings file, such as `log_level`.
    ///   - form: The values that the setting accepts.
    ///   - defaultValue: The value that applies if no source gives one.
    ///   - defaultText: The default as people read it. `nil` writes `defaultValue`.
    ///   - placeholder: The name of the value in the help, such as `count`.
    ///   - isSecret: True if the value must not be printed, and a flag can only name a file that holds it.
    ///   - help: One or two imperative sentences.
    init(
        _ member: String,
        _ form: SettingForm<Value>,
        default defaultValue: Value,
        written defaultText: String? = nil,
        placeholder: String,
        isSecret: Bool = false,
        help: String
    ) {
        declaration = SettingDeclaration(
            member: member,
            help: help,
            placeholder: placeholder,
            expected: form.expected,
            isList: form.isList,
            defaultText: defaultText ?? "\(defaultValue)",
            isSecret: isSecret
        )
        self.form = form
        self.defaultValue = defaultValue
    }
}

/// The names, the help and the default of a setting, whatever the type of its value.
package struct SettingDeclaration: Sendable {
    /// The name of the setting in the settings file, such as `log_level`.
    package let member: String
    /// One or two imperative sentences.
    package let help: String
    /// The name of the value in the help, such as `count`.
    package let placeholder: String
    /// The values that the setting accepts, such as "a number from 1 to 64".
    ///
    /// Ends the sentence "… is not …".
    package let expected: String
    /// True if a settings file can give a list.
    let isList: Bool
    /// The default as people read it.
    package let defaultText: String
    /// True if the value must not be printed.
    ///
    /// A secret is never a flag itself, because `ps` shows flags. Its flag names a file, and so do a second variable and a
    /// second member with `file` at the end.
    package let isSecret: Bool

    /// The environment variable, such as `MORTISE_LOG_LEVEL`.
    package var variable: String { SettingNames.variable(member) }

    /// The flag, such as `--log-level`.
    ///
    /// The flag of a secret ends with `-file`.
    package var flag: String { SettingNames.flag(flagMember) }

    /// The member whose spelling as a flag exists: for a secret, the one that names a file.
    var flagMember: String { isSecret ? fileMember : member }

    /// The member that names a file with the secret.
    package var fileMember: String { member + "_file" }

    /// All members of a settings file that give this setting.
    package var members: [String] { isSecret ? [member, fileMember] : [member] }
}

/// The spellings of a setting's name.
enum SettingNames {
    /// The first letters of every environment variable of Mortise.
    static let variablePrefix = "MORTISE_"

    /// Returns the environment variable of a member: `MORTISE_LOG_LEVEL` for `log_level`.
    static func variable(_ member: String) -> String { variablePrefix + member.uppercased() }

    /// Returns the flag of a member: `--log-level` for `log_level`.
    static func flag(_ member: String) -> String { "--" + flagName(member) }

    /// Returns the flag of a member without its dashes.
    static func flagName(_ member: String) -> String { member.replacing("_", with: "-") }
}
