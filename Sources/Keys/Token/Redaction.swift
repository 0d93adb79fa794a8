/// Masks tokens in text, as the last defence of a log.
///
/// A token is a value that does not print, so a log should never contain one. A token that is found there came another way,
/// such as in a path that a client sent.
public enum Redaction {
    /// The shortest run of characters that is masked.
    ///
    /// The part of a body that a ``DisplayPrefix`` shows has at most 9.
    private static let shortestSecret = 10

    /// Returns `text` with the secret part of every token and of every JSON Web Token (JWT) masked.
    ///
    /// A token becomes `mks_live_****`, also if its end is missing. A JWT becomes `eyJ****` if its header begins with `{"`,
    /// as the headers of members' sessions and of nearly all others do.
    ///
    /// A text without tokens is returned as it is, without an allocation.
    public static func redact(_ text: String) -> String {
        let bytes = text.utf8.span
        var masked: [UInt8] = []
        var copied = 0
        var offset = 0
        // A long segment is scanned once, not once for each "eyJ" in it, which would take quadratic time.
        var noHeaderBefore = 0
        while offset < bytes.count {
            let isToken = isModeMarker(bytes, at: offset)
            guard isToken || offset >= noHeaderBefore && isHeaderMarker(bytes, at: offset) else {
                offset += 1
                continue
            }
            let start = offset + (isToken ? 6 : 3)
            var end = endOfSegment(bytes, from: start, isJWT: !isToken)
            if !isToken { noHeaderBefore = end }
            guard end - start >= shortestSecret, isToken || endsHeader(bytes, start..<end) else {
                offset += 1
                continue
            }
            if !isToken { end = endOfJWT(bytes, from: end) }
            append(bytes, copied..<start, to: &masked)
            masked += [0x2A, 0x2A, 0x2A, 0x2A]
            (copied, offset) = (end, end)
        }
        guard copied > 0 else { return text }
        append(bytes, copied..<bytes.count, to: &masked)
        return String(decoding: masked, as: UTF8.self)
    }

    /// Returns true if `_live_` or `_test_` begins at `offset`.
    private static func isModeMarker(_ bytes: borrowing Span<UInt8>, at offset: Int) -> Bool {
        guard bytes[offset] == 0x5F, offset + 6 <= bytes.count, bytes[offset + 5] == 0x5F else { return false }
        let word = UInt32(packing: bytes.extracting(offset + 1..<offset + 5))
        return word == 0x6C69_7665 || word == 0x7465_7374
    }

    /// Returns the end of the run of base62 digits, or of base64url digits, that begins at `start`.
    private static func endOfSegment(_ bytes: borrowing Span<UInt8>, from start: Int, isJWT: Bool) -> Int {
        var end = start
        while end < bytes.count, Base62.isDigit(bytes[end]) || isJWT && isOtherBase64URL(bytes[end]) { end += 1 }
        return end
    }

    /// Returns true if `eyJ` begins at `offset`.
    ///
    /// `eyJ` is `{"` in base64url, as the header of a JWT begins (RFC 7519, section 3.1, shows one).
    private static func isHeaderMarker(_ bytes: borrowing Span<UInt8>, at offset: Int) -> Bool {
        bytes[offset] == 0x65 && offset + 3 <= bytes.count && bytes[offset + 1] == 0x79 && bytes[offset + 2] == 0x4A
    }

    /// Returns the end of the run of base64url digits and dots that begins at `start`.
    private static func endOfJWT(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count, Base62.isDigit(bytes[end]) || isOtherBase64URL(bytes[end]) || bytes[end] == 0x2E {
            end += 1
        }
        return end
    }

    /// Returns true if a byte is one of the two base64url digits that are not base62 digits.
    private static func isOtherBase64URL(_ byte: UInt8) -> Bool { byte == 0x2D || byte == 0x5F }

    /// Returns true if a segment after `eyJ` ends with a dot and is as long as the shortest header.
    ///
    /// `{"alg":"x"}` has 15 characters in base64url, 12 of them after `eyJ`.
    private static func endsHeader(_ bytes: borrowing Span<UInt8>, _ segment: Range<Int>) -> Bool {
        segment.count >= 12 && segment.upperBound < bytes.count && bytes[segment.upperBound] == 0x2E
    }

    private static func append(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to masked: inout [UInt8]) {
        for offset in range { masked.append(bytes[offset]) }
    }
}
