/// Parses `<prefix>_<live|test>_<32 random><8 workspace ref><6 CRC-32>`.
///
/// The parser reads nothing but the bytes and allocates nothing, so a text that is not a token costs the service no more.
public enum TokenParser {
    static let bodyLength = 32
    static let checksumLength = 6
    static let tailLength = bodyLength + WorkspaceRef.length + checksumLength

    /// The possible lengths of a token in bytes: 53 with a prefix of 1 character, 56 with a prefix of 4.
    public static let lengths = (1 + 6 + tailLength)...(4 + 6 + tailLength)

    /// Returns the parts of a token, or `nil` if `text` is not a token.
    public static func parse(_ text: String) -> ParsedToken? {
        parse(text.utf8.span)
    }

    /// Returns the parts of a token, or `nil` if `bytes` are not a token.
    public static func parse(_ bytes: borrowing Span<UInt8>) -> ParsedToken? {
        try? read(bytes)
    }

    /// Returns the parts of a token.
    ///
    /// - Parameter bytes: The bytes of the whole text.
    /// - Returns: The parts that are not secret.
    /// - Throws: The first fault. It is meant for the person who typed the token. A client that asks for a verdict learns only
    ///   that the token is malformed.
    public static func read(_ bytes: borrowing Span<UInt8>) throws(TokenFault) -> ParsedToken {
        let count = bytes.count
        guard count >= lengths.lowerBound else { throw .tooShort }
        guard count <= lengths.upperBound else { throw .tooLong }
        let prefixEnd = prefixLength(bytes)
        guard let prefix = TokenPrefix(bytes: bytes.extracting(0..<prefixEnd)) else { throw .badPrefix }
        guard let mode = mode(in: bytes, at: prefixEnd) else { throw .unknownMode }
        let bodyStart = prefixEnd + 6
        guard count == bodyStart + tailLength else { throw .wrongLength }
        for offset in bodyStart..<count where !Base62.isDigit(bytes[offset]) { throw .badCharacter(offset: offset) }
        guard hasCanonicalChecksum(bytes) else { throw .badChecksum }
        let refStart = bodyStart + bodyLength
        return ParsedToken(
            prefix: prefix,
            mode: mode,
            workspaceRef: WorkspaceRef(checkedBytes: bytes.extracting(refStart..<refStart + WorkspaceRef.length)),
            displayPrefix: DisplayPrefix(ofToken: bytes)
        )
    }

    /// Returns the number of bytes before the first underscore, or 5 if the first five bytes are none.
    private static func prefixLength(_ bytes: borrowing Span<UInt8>) -> Int {
        var offset = 0
        while offset < 5, bytes[offset] != 0x5F { offset += 1 }
        return offset
    }

    private static func mode(in bytes: borrowing Span<UInt8>, at offset: Int) -> KeyMode? {
        guard bytes[offset] == 0x5F, bytes[offset + 5] == 0x5F else { return nil }
        return KeyMode(utf8: bytes.extracting(offset + 1..<offset + 5))
    }

    /// Returns true if the last six bytes are the canonical spelling of the checksum.
    ///
    /// The digits are computed and compared, so no other spelling of the same number passes.
    private static func hasCanonicalChecksum(_ bytes: borrowing Span<UInt8>) -> Bool {
        let start = bytes.count - checksumLength
        var rest = UInt64(CRC32.checksum(of: bytes.extracting(0..<start)))
        for offset in (start..<bytes.count).reversed() {
            guard bytes[offset] == Base62.lastDigit(of: rest) else { return false }
            rest /= 62
        }
        return true
    }

    /// Returns the checksum of `bytes` in six digits, with zeros in front.
    ///
    /// Six digits suffice, because 62^6 exceeds 2^32.
    static func checksumDigits(of bytes: borrowing Span<UInt8>) -> [UInt8] {
        var rest = UInt64(CRC32.checksum(of: bytes))
        var digits = [UInt8](repeating: 0x30, count: checksumLength)
        for position in digits.indices.reversed() {
            digits[position] = Base62.lastDigit(of: rest)
            rest /= 62
        }
        return digits
    }
}
