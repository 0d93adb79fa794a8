/// The public name of a secret, by which the database says which one was used: 1 to 16 of `a-z0-9-`.
public struct SecretID: Sendable, Hashable {
    /// The characters of the name.
    public let text: String

    /// The name that `text` spells, or `nil` where it is none.
    public init?(_ text: String) {
        let isName = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        guard (1...16).contains(text.utf8.count), isName else { return nil }
        self.text = text
    }
}

extension SecretID: CustomStringConvertible {
    /// The characters of the name.
    public var description: String { text }
}
