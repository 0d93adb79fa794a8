/// A secret that the peppers of all workspaces derive from, which turn tokens into digests.
///
/// A pepper is never in a database, so a stolen dump verifies no token.
public struct Pepper: Sendable, Redacted {
    /// The id that the database keeps beside each digest.
    public let id: SecretID

    let secret: SecretBytes

    /// Creates a pepper from its bytes, or returns `nil` unless there are 32 to 256.
    public init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
    }

    /// The value that a database keeps to tell this pepper from another one with the same id.
    package var checkValue: Digest { secret.hmac(of: Array("mortise pepper check".utf8)) }
}

extension Pepper {
    /// Returns the seal of the manifest or of a record of a backup.
    ///
    /// Nobody without the secrets file can change the text and seal it again.
    package func seal(of text: [UInt8]) -> Digest {
        var message = LengthPrefixed(purpose: "mortise backup seal")
        message.append(text)
        return secret.hmac(of: message.bytes)
    }
}
