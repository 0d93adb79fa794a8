/// Text that must not be printed: a token, or a database URL with its password.
package struct SecretText: Sendable, Equatable {
    private let text: String

    /// Wraps a secret.
    package init(_ text: String) {
        self.text = text
    }

    /// The secret itself, for the one call that needs it.
    package func reveal() -> String { text }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says that there is a secret, and nothing of it.
    package var description: String { "(secret)" }

    /// The same.
    package var debugDescription: String { description }

    /// No children, so that `dump` shows nothing either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
