/// Reads `<prefix>_<live|test>_<32 random><8 workspace ref><6 CRC-32>`.
///
/// Parsing touches nothing but the bytes and allocates nothing: whatever is not a token costs the service no more.
public enum TokenParser {
    static let bodyLength = 32
    static let checksumLength = 6
    static let tailLength = bodyLength + WorkspaceRef.length + checksumLength

    /// The number of bytes of a token: 53 with a prefix of 1 character, 56 with one of 4.
    public static let lengths = (1 + 6 + tailLength)...(4 + 6 + tailLength)

    /// The parts of a token, or `nil` where `text` is none.
    public static func parse(_ text: String) -> ParsedToken? {
        parse(text.utf8.span)
    }

    /// The parts of a token, or `nil` where `bytes` are none.
    public static func parse(_ bytes: borrowing Span<UInt8>) -> ParsedToken? {
        try? read(bytes)
    }

    /// The parts of a token.
    ///
    /// - Throws: The first fault, for a person who typed the token; a client that asks for a verdict is told only
    ///   that it is malformed.
    public static func read(_ bytes: borrowing Span<UInt8>) throws(TokenFault) -> ParsedToken {
        let count = bytes.count
        guard count >= lengths.lowerBound else { throw .tooShort }
        guard count <= lengths.upperBound else { throw .tooLong }
        let prefixEnd = underscore(in: bytes)
        guard let prefix = TokenPrefix(bytes: bytes.extracting(0..<prefixEnd)) else { throw .badPrefix }
        guard let mode = mode(in: bytes, at: prefixEnd) else { throw .unknownMode }
        let bodyStart = prefixEnd + 6
        guard count == bodyStart + tailLength else { throw .wrongLength }
        for offset in bodyStart..<count where !Base62.isDigit(bytes[offset]) { throw .badCharacter(offset: offset) }
        guard hasCanonicalChecksum(bytes) else { throw .badChecksum }
        let refStart = bodyStart + bodyLength
        guard let ref = WorkspaceRef(bytes: bytes.extracting(refStart..<refStart + WorkspaceRef.length)) else {
            throw .badCharacter(offset: refStart)
        }
        return ParsedToken(
            prefix: prefix,
            mode: mode,
            workspaceRef: ref,
            displayPrefix: DisplayPrefix(ofToken: bytes)
        )
    }

    /// Where the first underscore stands, looked for no further than the longest prefix reaches.
    private static func underscore(in bytes: borrowing Span<UInt8>) -> Int {
        var offset = 0
        while offset < 5, bytes[offset] != 0x5F { offset += 1 }
        return offset
    }

    private static func mode(in bytes: borrowing Span<UInt8>, at offset: Int) -> KeyMode? {
        guard bytes[offset] == 0x5F, bytes[offset + 5] == 0x5F else { return nil }
        return switch UInt32(packing: bytes.extracting(offset + 1..<offset + 5)) {
        case 0x6C69_7665: .live
        case 0x7465_7374: .test
        default: nil
        }
    }

    /// Computes and compares the six digits, so that no other spelling of the same number passes.
    private static func hasCanonicalChecksum(_ bytes: borrowing Span<UInt8>) -> Bool {
        let start = bytes.count - checksumLength
        var rest = UInt64(CRC32.checksum(of: bytes.extracting(0..<start)))
        for offset in (start..<bytes.count).reversed() {
            guard bytes[offset] == Base62.lastDigit(of: rest) else { return false }
            rest /= 62
        }
        return true
    }

    /// The checksum of everything before it, padded with zeros to six digits: 62^6 exceeds 2^32.
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
