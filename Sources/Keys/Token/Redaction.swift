/// The last line of defence of a log: masks text that looks like a token.
///
/// Tokens are values that do not print, so nothing should ever be found. What is found got into a text by another way,
/// such as a path that a client put its token into.
public enum Redaction {
    /// Runs shorter than this stay: the longest part of a body that a ``DisplayPrefix`` shows has 9 characters.
    private static let shortestSecret = 10

    /// `text` with the secret part of every token, whole or cut short, replaced: `mks_live_****`.
    ///
    /// Where nothing is found, the very same string comes back and nothing is allocated.
    public static func redact(_ text: String) -> String {
        let bytes = text.utf8.span
        var masked: [UInt8] = []
        var copied = 0
        var offset = 0
        while offset < bytes.count {
            guard bytes[offset] == 0x5F, isModeMarker(bytes, at: offset) else {
                offset += 1
                continue
            }
            let start = offset + 6
            let end = endOfRun(bytes, from: start)
            if end - start >= shortestSecret {
                append(bytes, copied..<start, to: &masked)
                masked += [0x2A, 0x2A, 0x2A, 0x2A]
                copied = end
            }
            // The underscore behind the mode may itself begin a marker, as in "_live_test_".
            offset = max(end, start) - (end == start ? 1 : 0)
        }
        guard copied > 0 else { return text }
        append(bytes, copied..<bytes.count, to: &masked)
        return String(decoding: masked, as: UTF8.self)
    }

    /// Whether `_live_` or `_test_` begins at `offset`.
    private static func isModeMarker(_ bytes: borrowing Span<UInt8>, at offset: Int) -> Bool {
        guard offset + 6 <= bytes.count, bytes[offset + 5] == 0x5F else { return false }
        let word = UInt32(packing: bytes.extracting(offset + 1..<offset + 5))
        return word == 0x6C69_7665 || word == 0x7465_7374
    }

    private static func endOfRun(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count, Base62.isDigit(bytes[end]) { end += 1 }
        return end
    }

    private static func append(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to masked: inout [UInt8]) {
        for offset in range { masked.append(bytes[offset]) }
    }
}
