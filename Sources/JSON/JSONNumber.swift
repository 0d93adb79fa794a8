/// A JSON number that loses nothing.
///
/// An integer of 64 bits is stored as such, and any other number as the text that spells it.
public struct JSONNumber: Sendable, Equatable {
    private enum Storage: Sendable, Equatable {
        case integer(Int64)
        case text(String)
    }

    private let storage: Storage

    /// Creates a number from an integer.
    public init(_ value: Int64) {
        storage = .integer(value)
    }

    /// Creates a number from a floating-point value, or returns `nil` for infinity and NaN.
    ///
    /// The spelling is the shortest one that is exact.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        storage = .text(value.description)
    }

    /// Creates a number from a text that the parser has found to be a number.
    init(checkedText: String) {
        storage = .text(checkedText)
    }

    /// The spelling of the number.
    public var text: String {
        switch storage {
        case .integer(let value): value.description
        case .text(let text): text
        }
    }

    /// The value as an integer, also if it is spelled `1.0` or `1e3`.
    ///
    /// `nil` if it is not an integer of 64 bits.
    public var int64: Int64? {
        switch storage {
        case .integer(let value):
            return value
        case .text(let text):
            // Above 2^53 a double cannot tell neighboring integers apart.
            guard let value = Double(text), value.magnitude <= 0x1p53 else { return nil }
            guard let whole = Int64(exactly: value) else { return nil }
            // Zero is an integer under any exponent, unless rounding made it from a smaller number.
            if whole == 0 { return hasNonZeroDigit(text) ? nil : 0 }
            return hasFraction(text) ? nil : whole
        }
    }

    /// The nearest double.
    ///
    /// `nil` if the number is too large, or so small that it would become 0.
    public var double: Double? {
        switch storage {
        case .integer(let value):
            return Double(value)
        case .text(let text):
            guard let value = Double(text), value.isFinite else { return nil }
            return value == 0 && hasNonZeroDigit(text) ? nil : value
        }
    }

    /// True if PostgreSQL's `jsonb` keeps the number as it is and prints it in at most 64 digits.
    ///
    /// `jsonb` writes numbers without exponents: the five characters `1e308` come back as 309 digits.
    public var isStorable: Bool {
        guard double != nil else { return false }
        guard case .text(let text) = storage else { return true }
        let parts = text.utf8.split(whereSeparator: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") })
        let exponent = parts.count > 1 ? Int(Substring(parts[1])) : 0
        guard let exponent, exponent > -64, exponent < 64 else { return false }
        return parts[0].count + abs(exponent) <= 64
    }

    /// Appends the spelling of the number to `bytes`.
    func append(to bytes: inout [UInt8]) {
        switch storage {
        case .integer(let value): bytes.appendDecimal(value)
        case .text(let text): bytes.append(contentsOf: text.utf8)
        }
    }

    /// Returns true if the mantissa has a digit other than 0.
    private func hasNonZeroDigit(_ text: String) -> Bool {
        for byte in text.utf8 {
            if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { return false }
            if byte >= UInt8(ascii: "1") && byte <= UInt8(ascii: "9") { return true }
        }
        return false
    }

    /// Returns true if digits make the number no integer, such as those of `1.00000000000000000001` that a double loses.
    private func hasFraction(_ text: String) -> Bool {
        var digitsAfterPoint = 0
        var lastNonZero = 0
        var afterPoint = false
        var exponentText = ""
        var inExponent = false
        var trailingZeros = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "e"), UInt8(ascii: "E"): inExponent = true
            case UInt8(ascii: "."): afterPoint = true
            case _ where inExponent: exponentText.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if afterPoint {
                    digitsAfterPoint += 1
                    if byte != UInt8(ascii: "0") { lastNonZero = digitsAfterPoint }
                } else {
                    trailingZeros = byte == UInt8(ascii: "0") ? trailingZeros + 1 : 0
                }
            default: break
            }
        }
        let exponent = Int(exponentText) ?? 0
        return lastNonZero > 0 ? lastNonZero > exponent : exponent < -trailingZeros
    }
}
