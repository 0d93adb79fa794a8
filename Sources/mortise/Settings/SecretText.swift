/// A text that must not be printed: a token, or a database URL with its password.
package struct SecretText: Sendable, Equatable {
    private let text: String

    /// Wraps a secret.
    package init(_ text: String) {
        self.text = text
    }

    /// Returns the secret, for the one call that needs it.
    package func reveal() -> String { text }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A placeholder without any part of the secret.
    package var description: String { "(secret)" }

    /// A placeholder without any part of the secret.
    package var debugDescription: String { description }

    /// A mirror without children, so that `dump` prints nothing of the secret.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
