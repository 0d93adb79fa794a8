import Keys

extension GatewayAnswer {
    /// The names of the headers that identify a key.
    package static let identityNames = [
        "X-Mortise-Key-Id", "X-Mortise-Kind", "X-Mortise-Workspace", "X-Mortise-Organization", "X-Mortise-Subject",
        "X-Mortise-Scopes", "X-Mortise-Mode", "X-Mortise-Name",
    ]

    /// Returns the headers that identify a key.
    ///
    /// All of them are always present. A gateway that misses a header hands on the header of the client, or its own placeholder.
    static func identity(_ key: CheckedKey) -> [Field] {
        let values = [
            UUIDv7.text(of: key.state.keyID), key.state.kind.rawValue, UUIDv7.text(of: key.workspaceID),
            UUIDv7.text(of: key.organizationID), encoded(key.subject ?? ""),
            key.state.scopes.scopes.map { encoded($0.text) }.joined(separator: " "), key.state.mode.rawValue,
            encoded(key.name),
        ]
        return zip(identityNames, values).map { Field($0, $1) }
    }

    /// Returns the text with `%` and all bytes that are not visible ASCII percent-encoded (RFC 3986 section 2.1).
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        guard !text.utf8.allSatisfy(isPlain) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 3)
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "%") }
}
