extension JSONParser {
    /// Reads a string, from its opening quotation mark on.
    mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        try skipPlainCharacters()
        guard bytes[index] == UInt8(ascii: "\\") else {
            let text = try text(in: start..<index)
            index += 1
            return text
        }
        return try escapedString(from: start)
    }

    /// Reads the rest of a string from its first backslash on.
    ///
    /// The string started at `start`.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = ""
        var plainStart = start
        while true {
            text.append(try self.text(in: plainStart..<index))
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                return text
            }
            // An append to `text.unicodeScalars` copies the whole text.
            text.append(Character(try escape()))
            plainStart = index
            try skipPlainCharacters()
        }
    }

    /// Moves to the next quotation mark or backslash.
    private mutating func skipPlainCharacters() throws(JSONError) {
        index = bytes.indexOfSpecialByte(from: index)
        guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
        guard bytes[index] >= 0x20 else { throw JSONError(.rawControlCharacter, at: index) }
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = index
        guard index + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        let letter = bytes[index + 1]
        index += 2
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        default: throw JSONError(.invalidEscape, at: start)
        }
    }

    /// Reads the hexadecimal digits after `\u`, and a second escape if the first is half of a surrogate pair.
    private mutating func unicodeEscape(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try codeUnit(from: start)
        if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
        guard first < 0xDC00 else { throw JSONError(.loneSurrogate, at: start) }
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            throw JSONError(.loneSurrogate, at: start)
        }
        index += 2
        let second = try codeUnit(from: index - 2)
        guard second >= 0xDC00, second <= 0xDFFF else { throw JSONError(.loneSurrogate, at: start) }
        let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        guard let scalar = Unicode.Scalar(value) else { throw JSONError(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func codeUnit(from start: Int) throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
            let digit: UInt8
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[index] - UInt8(ascii: "A") + 10
            default: throw JSONError(.invalidEscape, at: start)
            }
            value = value << 4 | UInt16(digit)
            index += 1
        }
        return value
    }

    /// Returns a copy of bytes that must be UTF-8.
    ///
    /// Invalid bytes are never replaced.
    private func text(in range: Range<Int>) throws(JSONError) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: UnsafeBufferPointer(rebasing: bytes[range]).span))
        } catch {
            throw JSONError(.invalidUTF8, at: range.lowerBound + error.byteOffsets.lowerBound)
        }
    }
}
