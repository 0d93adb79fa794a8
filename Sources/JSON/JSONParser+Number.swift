extension JSONParser {
    /// Reads `[ minus ] int [ frac ] [ exp ]` (RFC 8259, section 6).
    mutating func number() throws(JSONError) -> JSONNumber {
        let start = index
        let negative = bytes[index] == UInt8(ascii: "-")
        if negative { index += 1 }
        let firstDigit = index
        try digits(from: start)
        guard bytes[firstDigit] != UInt8(ascii: "0") || index == firstDigit + 1 else {
            throw JSONError(.invalidNumber, at: start)
        }
        var isWhole = true
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            try digits(from: start)
        }
        if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
                index += 1
            }
            try digits(from: start)
        }
        // "-0" stays text, because an integer has no negative zero.
        if isWhole, !(negative && bytes[firstDigit] == UInt8(ascii: "0")),
            let value = integer(firstDigit, negative: negative)
        {
            return JSONNumber(value)
        }
        return JSONNumber(checkedText: String(decoding: bytes[start..<index], as: UTF8.self))
    }

    /// Skips a run of digits, which must not be empty.
    ///
    /// `start` is the beginning of the number.
    private mutating func digits(from start: Int) throws(JSONError) {
        let first = index
        while index < bytes.count, bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") { index += 1 }
        guard index > first else {
            throw index == bytes.count ? JSONError(.unexpectedEnd, at: index) : JSONError(.invalidNumber, at: start)
        }
    }

    /// Returns the integer of the digits from `first` to the index, or `nil` if it exceeds 64 bits.
    private func integer(_ first: Int, negative: Bool) -> Int64? {
        var value: Int64 = 0
        for position in first..<index {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(bytes[position] - UInt8(ascii: "0"))
            let (sum, carried) =
                negative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            if overflow || carried { return nil }
            value = sum
        }
        return value
    }
}
