/// Reads `Authorization: Bearer <credential>` (RFC 6750 section 2.1).
package enum BearerCredential {
    /// Returns the credential in a field's value, or `nil` if the scheme is another or no credential follows.
    ///
    /// The case of the scheme does not matter (RFC 9110 section 11.1).
    package static func read(_ value: String) -> String? {
        let bytes = value.utf8
        guard var start = bytes.index(bytes.startIndex, offsetBy: scheme.count, limitedBy: bytes.endIndex),
            bytes.starts(with: scheme, by: { $1 == UInt8(ascii: " ") ? $0 == $1 : $0 | 0x20 == $1 })
        else { return nil }
        while start < bytes.endIndex, bytes[start] == UInt8(ascii: " ") { bytes.formIndex(after: &start) }
        return start == bytes.endIndex ? nil : String(value[start...])
    }

    private static let scheme: [UInt8] = Array("bearer ".utf8)
}
