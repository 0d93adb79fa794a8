extension [UInt8] {
    /// Appends a comma if one is needed, and a string in quotation marks.
    ///
    /// Only what RFC 8259, section 7, demands is escaped.
    mutating func appendString(_ text: String, afterComma: Bool) {
        text.utf8.span.withUnsafeBufferPointer { appendQuoted($0, afterComma: afterComma, isName: false) }
    }

    /// Appends a comma if one is needed, the name of a member, and a colon.
    mutating func appendName(_ name: String, afterComma: Bool) {
        name.utf8.span.withUnsafeBufferPointer { appendQuoted($0, afterComma: afterComma, isName: true) }
    }

    private mutating func appendQuoted(_ utf8: UnsafeBufferPointer<UInt8>, afterComma: Bool, isName: Bool) {
        let end = utf8.indexOfSpecialByte(from: 0)
        let isPlain = end == utf8.count
        // One reservation for the whole string, because most strings need no escape.
        append(addingCapacity: utf8.count + 4) { output in
            output.withUnsafeMutableBufferPointer { buffer, count in
                func append(_ byte: UInt8) {
                    buffer[count] = byte
                    count += 1
                }
                if afterComma { append(UInt8(ascii: ",")) }
                append(UInt8(ascii: "\""))
                count = buffer[count...].update(fromContentsOf: utf8[..<end])
                if isPlain { append(UInt8(ascii: "\"")) }
                if isPlain, isName { append(UInt8(ascii: ":")) }
            }
        }
        if isPlain { return }
        appendEscaped(utf8, from: end)
        append(0x22)
        if isName { append(0x3A) }
    }

    private mutating func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>, from first: Int) {
        var special = first
        while special < utf8.count {
            appendEscape(utf8[special])
            let start = special + 1
            special = utf8.indexOfSpecialByte(from: start)
            append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<special]))
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(0x5C)
        switch byte {
        case 0x22, 0x5C: append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            append(contentsOf: "u00".utf8)
            appendHexDigit(byte >> 4)
            appendHexDigit(byte & 0x0F)
        }
    }

    private mutating func appendHexDigit(_ digit: UInt8) {
        append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }

    /// Appends an integer in decimal, without a string in between.
    mutating func appendDecimal(_ value: Int64) {
        append(addingCapacity: 20) { output in
            if value < 0 { output.append(UInt8(ascii: "-")) }
            let magnitude = value.magnitude
            var unit: UInt64 = 1
            while magnitude / unit >= 10 { unit *= 10 }
            var rest = magnitude
            while unit > 0 {
                output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
                rest %= unit
                unit /= 10
            }
        }
    }
}
