/// The full text of a token, which is the secret that its owner is shown once.
///
/// A token does not print and has no encoding. ``reveal()`` is the only way out, so a search for its callers finds every
/// place where the text can leave.
public struct Token: Sendable, Redacted {
    private let text: String

    /// The parts of the token that are not secret.
    public let parsed: ParsedToken

    /// Creates a token from the text that a caller presented.
    ///
    /// - Parameter text: The text. It must be a token and nothing else.
    /// - Throws: ``TokenFault`` if the text is not a token. The fault does not repeat the text.
    public init(_ text: String) throws(TokenFault) {
        parsed = try TokenParser.read(text.utf8.span)
        self.text = text
    }

    private init(text: String, parsed: ParsedToken) {
        self.text = text
        self.parsed = parsed
    }

    /// Creates a token with a random secret part.
    ///
    /// - Parameters:
    ///   - prefix: The prefix of the token.
    ///   - mode: The key's mode.
    ///   - workspace: The workspace whose database holds the key.
    ///   - generator: The source of randomness. It must be the system's CSPRNG for every real token.
    /// - Returns: The token.
    public static func make(
        prefix: TokenPrefix,
        mode: KeyMode,
        workspace: WorkspaceRef,
        using generator: inout some RandomNumberGenerator
    ) -> Token {
        make(prefix: prefix, mode: mode, workspace: workspace, body: .random(using: &generator))
    }

    /// Creates the token that has a given secret part.
    ///
    /// Equal arguments give equal tokens.
    ///
    /// - Parameters:
    ///   - prefix: The prefix of the token.
    ///   - mode: The key's mode.
    ///   - workspace: The workspace whose database holds the key.
    ///   - body: The 32 characters of the secret part.
    /// - Returns: The token, with its checksum.
    public static func make(prefix: TokenPrefix, mode: KeyMode, workspace: WorkspaceRef, body: TokenBody) -> Token {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(TokenParser.lengths.upperBound)
        bytes += prefix.bytes
        bytes.append(0x5F)
        bytes += mode.rawValue.utf8
        bytes.append(0x5F)
        bytes += body.digits
        bytes += workspace.bytes
        bytes += TokenParser.checksumDigits(of: bytes.span)
        let parsed = ParsedToken(
            prefix: prefix,
            mode: mode,
            workspaceRef: workspace,
            displayPrefix: DisplayPrefix(ofToken: bytes.span)
        )
        return Token(text: String(decoding: bytes, as: UTF8.self), parsed: parsed)
    }

    /// Returns the full text, for the response that hands the token out.
    public func reveal() -> String { text }

    /// Calls `body` with the bytes of the full text, which must not outlive the call.
    public func withUTF8<Result>(_ body: (borrowing Span<UInt8>) -> Result) -> Result {
        body(text.utf8.span)
    }
}

extension Token: Equatable {
    /// Compares two tokens in a time that depends on their lengths alone.
    public static func == (lhs: Token, rhs: Token) -> Bool {
        ConstantTime.areEqual(lhs.text.utf8.span, rhs.text.utf8.span)
    }
}
