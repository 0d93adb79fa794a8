public import Keys

/// A pepper of the secrets file has the id of another pepper that the installation has used.
public struct PepperMismatch: Error, Sendable, Hashable, CustomStringConvertible {
    /// The pepper's id.
    public let id: SecretID

    /// A sentence for the operator.
    public var description: String {
        "The pepper \"\(id)\" in the secrets file is not the one that this installation knows by that id; use the original file."
    }
}

/// The secrets file has none of the peppers that the installation has used.
public struct ForeignSecrets: Error, Sendable, Hashable, CustomStringConvertible {
    /// The ids of those peppers.
    public let known: [String]

    /// A sentence for the operator.
    public var description: String {
        """
        The secrets file is not this installation's: it has none of the peppers that were used before \
        (\(known.joined(separator: ", "))); use the original file, to which a new pepper is added.
        """
    }
}

/// Another program is creating the first keys of the installation, and did not end in time.
public struct FirstStartUnderWay: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence for the operator.
    public var description: String {
        "Another server is creating the first keys of this installation and waits until its standard output is read; start again after that."
    }
}

/// A preset token cannot be used.
public struct PresetFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The setting.
    public let setting: String
    /// The prefix that the token must have.
    public let prefix: TokenPrefix

    /// A sentence for the operator, which does not repeat the token.
    public var description: String {
        """
        \(setting) must be a token of the platform that begins with "\(prefix.text)_" and carries the workspace reference \
        "\(WorkspaceRef.root.text)"; "mortise key generate" generates one.
        """
    }

    /// Parses a preset token.
    ///
    /// The fault does not repeat its text.
    public static func read(_ text: String, setting: String, prefix: TokenPrefix) throws(PresetFault) -> Token {
        guard let token = try? Token(text) else { throw PresetFault(setting: setting, prefix: prefix) }
        try check(token, setting: setting, prefix: prefix)
        return token
    }

    static func check(_ token: Token?, setting: String, prefix: TokenPrefix) throws(PresetFault) {
        guard let token else { return }
        guard token.parsed.prefix == prefix, token.parsed.workspaceRef.isRoot else {
            throw PresetFault(setting: setting, prefix: prefix)
        }
    }
}
