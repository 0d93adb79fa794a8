/// The secret part of a token: 32 base62 characters, which are 190 bits.
public struct TokenBody: Sendable, Redacted {
    /// The number of bytes of key-derivation output for a body: 8 for each character.
    package static let derivedByteCount = 8 * TokenParser.bodyLength

    let digits: [UInt8]

    /// Creates a uniform body from `generator`, which must be the system's CSPRNG for every real token.
    public static func random(using generator: inout some RandomNumberGenerator) -> TokenBody {
        TokenBody(digits: Base62.random(count: TokenParser.bodyLength, using: &generator))
    }

    /// Creates a body from key-derivation output, or returns `nil` unless there are ``derivedByteCount`` bytes.
    package init?(derivedFrom bytes: [UInt8]) {
        guard bytes.count == Self.derivedByteCount else { return nil }
        digits = Base62.digits(from: bytes)
    }

    private init(digits: [UInt8]) { self.digits = digits }
}
