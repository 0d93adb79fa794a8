public import Keys

/// A pepper of the secrets file has the id of another one that the installation has used.
public struct PepperMismatch: Error, Sendable, Hashable, CustomStringConvertible {
    /// The id.
    public let id: SecretID

    /// One sentence for the operator.
    public var description: String {
        "The pepper \"\(id)\" in the secrets file is not the one that this installation knows by that id; use the original file."
    }
}

/// The secrets file has none of the peppers that the installation has used.
public struct ForeignSecrets: Error, Sendable, Hashable, CustomStringConvertible {
    /// The ids of those peppers.
    public let known: [String]

    /// One sentence for the operator.
    public var description: String {
        """
        The secrets file is not this installation's: it has none of the peppers that were used before \
        (\(known.joined(separator: ", "))); use the original file, to which a new pepper is added.
        """
    }
}

/// Another program is making the first keys of the installation, and did not end in time.
public struct FirstStartUnderWay: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence for the operator.
    public var description: String {
        "Another server is making the first keys of this installation and waits for its standard output to be read; start again."
    }
}

/// A preset token cannot be used.
public struct PresetFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The setting.
    public let setting: String
    /// What the token has to begin with.
    public let prefix: TokenPrefix

    /// One sentence for the operator, which does not repeat the token.
    public var description: String {
        """
        \(setting) must be a token of the platform that begins with "\(prefix.text)_" and carries the workspace reference \
        "\(WorkspaceRef.root.text)"; "mortise key generate" makes one.
        """
    }

    /// Reads a preset token, whose text the fault does not repeat.
    public static func read(_ text: String, setting: String, prefix: TokenPrefix) throws(PresetFault) -> Token {
        guard let token = try? Token(text) else { throw PresetFault(setting: setting, prefix: prefix) }
        try Self.check(token, setting: setting, prefix: prefix)
        return token
    }

    static func check(_ token: Token?, setting: String, prefix: TokenPrefix) throws(PresetFault) {
        guard let token else { return }
        guard token.parsed.prefix == prefix, token.parsed.workspaceRef.isRoot else {
            throw PresetFault(setting: setting, prefix: prefix)
        }
    }
}
