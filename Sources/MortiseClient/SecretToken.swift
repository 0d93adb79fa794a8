/// A token, password or other secret that no description shows.
///
/// `print`, string interpolation, `dump` and the debugger show `(secret)`.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "secret")
public struct SecretToken: Sendable, Hashable {
    private let text: String

    /// Wraps the text of a secret.
    ///
    /// - Parameter text: The text. A credential must be 1 to 8192 visible ASCII characters; the client refuses any
    ///   other before it sends anything.
    public init(_ text: String) {
        self.text = text
    }

    /// Returns the text of the secret.
    ///
    /// Call it only where the text is needed.
    public func reveal() -> String { text }

    /// True if the text can be the value of a header: 1 to 8192 visible ASCII characters.
    var isSendable: Bool {
        (1...8192).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

extension SecretToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text `(secret)`.
    public var description: String { "(secret)" }

    /// The text `(secret)`.
    public var debugDescription: String { description }

    /// A mirror without children, so that `dump` shows nothing of the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
