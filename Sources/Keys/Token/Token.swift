/// A well-formed token in full: the secret itself, shown to its owner once.
///
/// It does not print, whichever way it is asked to, and has no encoding; ``reveal()`` is the one way out, so that a
/// search for its callers finds every place where the text can leave.
public struct Token: Sendable, Redacted {
    private let text: String

    /// What the token says openly.
    public let parsed: ParsedToken

    /// Takes a token that somebody presents.
    ///
    /// - Throws: What is wrong with `text`, which the fault does not repeat.
    public init(_ text: String) throws(TokenFault) {
        parsed = try TokenParser.read(text.utf8.span)
        self.text = text
    }

    private init(text: String, parsed: ParsedToken) {
        self.text = text
        self.parsed = parsed
    }

    /// A new token whose secret part comes from `generator`, which must be the system's CSPRNG wherever the token is
    /// real.
    public static func make(
        prefix: TokenPrefix,
        mode: KeyMode,
        workspace: WorkspaceRef,
        using generator: inout some RandomNumberGenerator
    ) -> Token {
        make(prefix: prefix, mode: mode, workspace: workspace, body: .random(using: &generator))
    }

    /// The token with this secret part: the same arguments give the same token.
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

    /// The full text, for the answer that hands the token out.
    public func reveal() -> String { text }

    /// Calls `body` with the bytes of the full text, which must not outlive the call.
    public func withUTF8<Result>(_ body: (borrowing Span<UInt8>) -> Result) -> Result {
        body(text.utf8.span)
    }
}

extension Token: Equatable {
    /// Compares in a time that depends on the lengths alone.
    public static func == (lhs: Token, rhs: Token) -> Bool {
        let left = lhs.text.utf8.span
        let right = rhs.text.utf8.span
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for position in left.indices { difference |= left[position] ^ right[position] }
        return difference == 0
    }
}
