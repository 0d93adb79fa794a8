/// The public id of a secret, by which the database says which secret was used: 1 to 16 of `a-z0-9-`.
public struct SecretID: Sendable, Hashable {
    /// The characters of the id.
    public let text: String

    /// Creates the id with these characters, or returns `nil` if they are not an id.
    public init?(_ text: String) {
        let isValid = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        guard (1...16).contains(text.utf8.count), isValid else { return nil }
        self.text = text
    }
}

extension SecretID: CustomStringConvertible {
    /// The characters of the id.
    public var description: String { text }
}
