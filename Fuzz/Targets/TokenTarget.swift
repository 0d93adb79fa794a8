import Keys

extension FuzzTarget {
    static func checkToken(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        switch read(input) {
        case .success(let parsed): try checkParts(parsed, Array(input))
        case .failure(let fault): try checkFault(fault, Array(input))
        }
        let masked = Redaction.redact(input.text)
        try require(Redaction.redact(masked) == masked, "a masked text stays as it is")
        try require(!containsToken(Array(masked.utf8)), "a masked text contains no token")
    }

    private static func read(_ input: UnsafeBufferPointer<UInt8>) -> Result<ParsedToken, TokenFault> {
        do throws(TokenFault) {
            return .success(try TokenParser.read(input.span))
        } catch {
            return .failure(error)
        }
    }

    /// Checks that an accepted token has exactly the text that its parts give.
    private static func checkParts(_ parsed: ParsedToken, _ bytes: [UInt8]) throws(BrokenProperty) {
        let head = "\(parsed.prefix)_\(parsed.mode.rawValue)_"
        let body = bytes.dropFirst(head.utf8.count).prefix(32)
        let covered = Array(head.utf8) + body + Array(parsed.workspaceRef.text.utf8)
        try require(bytes == covered + checksum(of: covered), "an accepted token is written the same again")
        try require(parsed.displayPrefix.text.utf8.elementsEqual(bytes.prefix(16)), "a display prefix is the beginning")
        let text = String(decoding: bytes, as: UTF8.self)
        let token = try unwrap(try? Token(text), "a text that parses is a token")
        try require(token.reveal() == text && token.parsed == parsed, "a token keeps its text")
        try require(!"\(token)".contains(text.suffix(14)), "a token does not print")
        try require(!Redaction.redact(text).contains(text.suffix(14)), "a token is masked")
    }

    /// Checks that a fault points into the input, and that a wrong checksum is the last thing that can be wrong.
    private static func checkFault(_ fault: TokenFault, _ bytes: [UInt8]) throws(BrokenProperty) {
        switch fault {
        case .tooShort: try require(bytes.count < TokenParser.lengths.lowerBound, "a short text is short")
        case .tooLong: try require(bytes.count > TokenParser.lengths.upperBound, "a long text is long")
        case .badPrefix, .unknownMode, .wrongLength: break
        case .badCharacter(let offset):
            try require(bytes.indices.contains(offset), "a position lies in the input")
            try require(!isBase62(bytes[offset]), "the character at the position is not a base62 digit")
        case .badChecksum:
            let covered = Array(bytes.dropLast(6))
            let mended = covered + checksum(of: covered)
            let parsed = try unwrap(TokenParser.parse(mended.span), "a mended checksum is accepted")
            try checkParts(parsed, mended)
        }
    }

    /// Returns true if any part of a text is a token.
    private static func containsToken(_ bytes: [UInt8]) -> Bool {
        for length in TokenParser.lengths where bytes.count >= length {
            for start in 0...(bytes.count - length) {
                if TokenParser.parse(bytes[start..<start + length].span) != nil { return true }
            }
        }
        return false
    }

    private static func isBase62(_ byte: UInt8) -> Bool {
        let character = Unicode.Scalar(byte)
        return character.isASCII && character.properties.isAlphabetic || (0x30...0x39).contains(byte)
    }

    /// Returns the checksum in six base62 digits, computed bit by bit.
    private static func checksum(of bytes: [UInt8]) -> [UInt8] {
        var register = UInt32.max
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
        }
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var rest = Int(~register)
        var digits: [UInt8] = []
        for _ in 0..<6 {
            digits.insert(alphabet[rest % 62], at: 0)
            rest /= 62
        }
        return digits
    }
}
