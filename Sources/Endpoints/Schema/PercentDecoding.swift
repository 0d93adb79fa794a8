/// Decodes `%XX` (RFC 3986 section 2.1).
package enum PercentDecoding {
    /// Returns the decoded text, or `nil` if an escape is incomplete or malformed, or the bytes are not UTF-8.
    ///
    /// With `plusIsSpace`, a `+` stands for a space, as in queries. In paths it does not.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next()?.hexDigit, let low = iterator.next()?.hexDigit else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
