import Keys

/// Signs short texts that a browser keeps and sends back, with the installation's session secrets.
///
/// Each use has a purpose of its own, so a text that was signed for one is good for no other. No access token has the form of a signed
/// message, so a signature never counts as one of a token.
public struct TextSigner: Sendable {
    private let secrets: [SessionSecret]

    init(_ secrets: [SessionSecret]) { self.secrets = secrets }

    /// Returns the signature of a text: 64 hexadecimal digits.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - purpose: The use of the text.
    /// - Returns: The signature, or an empty text if the installation has no session secret.
    public func sign(_ text: String, for purpose: StaticString) -> String {
        secrets.first.map { Hex.encode(Self.signature(text, purpose, $0).bytes) } ?? ""
    }

    /// Returns true if a signature is one of a text for a purpose, by any session secret.
    public func verify(_ signature: String, of text: String, for purpose: StaticString) -> Bool {
        guard let presented = Self.digest(signature) else { return false }
        // Digests are compared in constant time.
        return secrets.contains { presented == Self.signature(text, purpose, $0) }
    }

    private static func signature(_ text: String, _ purpose: StaticString, _ secret: SessionSecret) -> Digest {
        secret.signature(of: Array("mortise \(purpose)\u{0}\(text)".utf8))
    }

    /// Returns the digest that 64 lower-case digits spell.
    private static func digest(_ text: String) -> Digest? {
        guard let bytes = Hex.decode(text.utf8), Hex.encode(bytes) == text else { return nil }
        return Digest(bytes: bytes)
    }
}
