/// The rules for `Host` (RFC 9112 section 3.2).
enum HostField {
    /// Returns true if a value is empty, or a host with an optional port (RFC 3986 section 3.2.2).
    static func isValid(_ value: String) -> Bool {
        var bytes = value.utf8[...]
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = bytes[bytes.index(after: bytes.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ isInName($0) || $0 == UInt8(ascii: ":") }) else {
                return false
            }
            bytes = bytes[bytes.index(after: end)...]
            guard let colon = bytes.popFirst() else { return true }
            return colon == UInt8(ascii: ":") && bytes.allSatisfy(\.isDigit)
        }
        let name = bytes.prefix { $0 != UInt8(ascii: ":") }
        return name.allSatisfy(isInName) && bytes.dropFirst(name.count + 1).allSatisfy(\.isDigit)
    }

    /// Returns true for unreserved characters, sub-delimiters and the percent sign.
    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"): true
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("): true
        case UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"): true
        case UInt8(ascii: "="): true
        default: false
        }
    }
}
