/// The last line of defence of a log: masks text that looks like a token.
///
/// Tokens are values that do not print, so nothing should ever be found. What is found got into a text by another way,
/// such as a path that a client put its token into.
public enum Redaction {
    /// Runs shorter than this stay: the longest part of a body that a ``DisplayPrefix`` shows has 9 characters.
    private static let shortestSecret = 10

    /// `text` with the secret part of every token, whole or cut short, replaced (`mks_live_****`), and so every JWT
    /// (`eyJ****`) whose header begins `{"`, as those of members' and nearly all others' sessions do.
    ///
    /// Where nothing is found, the very same string comes back and nothing is allocated.
    public static func redact(_ text: String) -> String {
        let bytes = text.utf8.span
        var masked: [UInt8] = []
        var copied = 0
        var offset = 0
        // To look at a long run once for each "eyJ" in it would take its length squared.
        var noHeaderBefore = 0
        while offset < bytes.count {
            let isToken = isModeMarker(bytes, at: offset)
            guard isToken || offset >= noHeaderBefore && isHeaderMarker(bytes, at: offset) else {
                offset += 1
                continue
            }
            let start = offset + (isToken ? 6 : 3)
            let end = isToken ? endOfRun(bytes, from: start) : endOfJWT(bytes, from: start)
            if !isToken { noHeaderBefore = end }
            guard end - start >= shortestSecret, isToken || hasHeader(bytes, start..<end) else {
                offset += 1
                continue
            }
            append(bytes, copied..<start, to: &masked)
            masked += [0x2A, 0x2A, 0x2A, 0x2A]
            (copied, offset) = (end, end)
        }
        guard copied > 0 else { return text }
        append(bytes, copied..<bytes.count, to: &masked)
        return String(decoding: masked, as: UTF8.self)
    }

    /// Whether `_live_` or `_test_` begins at `offset`.
    private static func isModeMarker(_ bytes: borrowing Span<UInt8>, at offset: Int) -> Bool {
        guard bytes[offset] == 0x5F, offset + 6 <= bytes.count, bytes[offset + 5] == 0x5F else { return false }
        let word = UInt32(packing: bytes.extracting(offset + 1..<offset + 5))
        return word == 0x6C69_7665 || word == 0x7465_7374
    }

    private static func endOfRun(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count, Base62.isDigit(bytes[end]) { end += 1 }
        return end
    }

    /// Whether `eyJ` begins at `offset`: `{"` in base64url, as the header of a JWT begins (RFC 7519 section 3.1 shows one).
    private static func isHeaderMarker(_ bytes: borrowing Span<UInt8>, at offset: Int) -> Bool {
        bytes[offset] == 0x65 && offset + 3 <= bytes.count && bytes[offset + 1] == 0x79 && bytes[offset + 2] == 0x4A
    }

    /// Behind the last character of base64url and dots.
    private static func endOfJWT(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            guard Base62.isDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F else { break }
            end += 1
        }
        return end
    }

    /// Whether a dot comes, and not before what the shortest header takes: `{"alg":"x"}` has 15 characters in base64url.
    private static func hasHeader(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        for offset in range where bytes[offset] == 0x2E { return offset - range.lowerBound >= 12 }
        return false
    }

    private static func append(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to masked: inout [UInt8]) {
        for offset in range { masked.append(bytes[offset]) }
    }
}
