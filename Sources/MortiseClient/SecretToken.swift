/// A token, which no printing shows.
///
/// `print`, string interpolation, `dump` and a debugger's summary say that there is a secret, and nothing of it.
///
/// ```swift
/// let token = SecretToken("mka_live_…")
/// print(token)  // (secret)
/// ```
public struct SecretToken: Sendable, Hashable {
    private let text: String

    /// Wraps a token.
    ///
    /// ```swift
    /// let line = readLine() ?? ""
    /// let token = SecretToken(line)
    /// print("\(token)")
    /// ```
    public init(_ text: String) {
        self.text = text
    }

    /// The token itself, for the one place that needs it.
    ///
    /// ```swift
    /// let token = SecretToken("mks_live_…")
    /// try token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    /// ```
    public func reveal() -> String { text }

    /// Whether the text can stand in a header: visible ASCII, not empty, no longer than any token.
    var isSendable: Bool {
        (1...8192).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

extension SecretToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says that there is a secret, and nothing of it.
    public var description: String { "(secret)" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// No children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
