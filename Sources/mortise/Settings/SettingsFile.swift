import FoundationEssentials
import Glibc

/// The members of a settings file.
///
/// The file is YAML with one `member: value` a line. Values stay text, which the declaration of each setting reads, so
/// `access_log: off` is the word that was written. YAML itself would read a Boolean value.
package struct SettingsFile: Sendable {
    /// The file that is read if no other is named and it exists.
    package static let standardPath = "/etc/mortise/mortise.yaml"

    /// The value of a member.
    struct Entry: Sendable {
        /// The text of a scalar, or the elements of a list with commas between them.
        ///
        /// Any of them may be a secret.
        let text: SecretText
        /// The line of the member, from 1.
        let line: Int
    }

    /// A member that is not a setting.
    struct UnknownMember: Sendable {
        let name: String
        /// The line of the member, from 1.
        let line: Int
    }

    /// The path of the file.
    package let path: String
    /// The members that are settings and have a value, by name.
    let entries: [String: Entry]
    /// The members that are not settings, in the order of the file.
    let unknownMembers: [UnknownMember]

    private static let maximumBytes = 65_536

    /// Reads a file.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the file cannot be read or is malformed. The error names the file and,
    ///   where there is one, the line. It quotes no value, because a value may be a secret.
    package init(readingFrom path: String) throws(CommandFailure) {
        let bytes: [UInt8]
        do throws(FileAccess.Fault) {
            bytes = try FileAccess.readNow(path, limit: Self.maximumBytes)
        } catch {
            throw .usage(
                "The settings file \(path) cannot be read: \(error.reason).",
                details: [
                    "Name another file with \(Settings.settingsFile.declaration.flag), or run this as a user who can read it."
                ]
            )
        }
        try self.init(parsing: bytes, path: path)
    }

    init(path: String, entries: [String: Entry], unknownMembers: [UnknownMember]) {
        self.path = path
        self.entries = entries
        self.unknownMembers = unknownMembers
    }

    /// Reads the file at ``standardPath`` or another place, unless there is none.
    static func readingIfPresent(_ path: String) throws(CommandFailure) -> SettingsFile? {
        if access(path, F_OK) != 0, errno == ENOENT || errno == ENOTDIR { return nil }
        return try SettingsFile(readingFrom: path)
    }

    /// The risks of the file's permissions.
    var permissionWarnings: [SettingWarning] {
        guard let mode = FileAccess.permissions(ofRegularFile: path) else { return [] }
        var warnings: [SettingWarning] = []
        if mode & 0o004 != 0, holdsSecret { warnings.append(.readableByOthers(path: path)) }
        if mode & 0o002 != 0 { warnings.append(.writableByOthers(path: path)) }
        return warnings
    }

    private var holdsSecret: Bool {
        Settings.members.contains { $0.isSecret && entries[$0.member] != nil }
    }
}
