import Keys

/// Signs short texts that a browser keeps and sends back, with the installation's session secrets.
///
/// Each use has a purpose of its own, so a text that was signed for one is good for no other. No access token has the form of a sealed
/// message, so a signature never counts as one of a token.
public struct Seal: Sendable {
    private let secrets: [SessionSecret]

    init(_ secrets: [SessionSecret]) { self.secrets = secrets }

    /// Returns the signature of a text: 64 hexadecimal digits.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - purpose: The use of the text.
    /// - Returns: The signature, or an empty text if the installation has no session secret.
    public func sign(_ text: String, for purpose: StaticString) -> String {
        secrets.first.map { Self.text(Self.signature(text, purpose, $0)) } ?? ""
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

    private static func text(_ digest: Digest) -> String {
        var text = ""
        for byte in digest.bytes { text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }
        return text
    }

    private static func digest(_ text: String) -> Digest? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return Digest(bytes: bytes)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
