package import Keys

/// The header of the PROXY protocol, versions 1 and 2, which a proxy sends before the bytes of its client.
///
/// The format is that of the specification "The PROXY protocol", revision 2020/03/05, sections 2.1 and 2.2.
package enum ProxyHeader: Sendable, Hashable {
    /// The proxy connects for a client, whose address is known or not.
    case client(IPAddress?)
    /// The proxy connects for itself, as for a health check.
    case local

    /// The result of reading.
    package enum Reading: Sendable, Hashable {
        /// More bytes are needed.
        case incomplete
        /// The bytes are no header.
        case malformed
        /// The header and its length in bytes.
        case complete(ProxyHeader, length: Int)
    }

    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let version1 = Array("PROXY ".utf8)
    /// The longest line of version 1, with its end.
    private static let maximumLine = 107
    /// The largest part of a header of version 2 that follows the fixed 16 bytes.
    private static let maximumRest = 4096

    /// The largest header in bytes.
    package static let maximumLength = 16 + maximumRest

    /// Reads the header at the start of some bytes.
    package static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Reading {
        let bytes = Array(bytes.prefix(maximumLength))
        if isPrefix(bytes, of: signature) { return bytes.count < 16 ? .incomplete : readVersion2(bytes) }
        if isPrefix(bytes, of: version1) { return bytes.count < 6 ? .incomplete : readVersion1(bytes) }
        return .malformed
    }

    /// Returns true if the bytes begin with the pattern, as far as they are there.
    private static func isPrefix(_ bytes: [UInt8], of pattern: [UInt8]) -> Bool {
        bytes.prefix(pattern.count).elementsEqual(pattern.prefix(bytes.count))
    }

    private static func readVersion1(_ bytes: [UInt8]) -> Reading {
        let line = bytes.prefix(maximumLine)
        guard let feed = line.firstIndex(of: 0x0A) else { return bytes.count < maximumLine ? .incomplete : .malformed }
        guard feed > 0, line[feed - 1] == 0x0D else { return .malformed }
        let words = String(decoding: line[..<(feed - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        // The rest of an UNKNOWN line must be ignored.
        if words.count >= 2, words[1] == "UNKNOWN" { return .complete(.client(nil), length: feed + 1) }
        guard words.count == 6, ["TCP4", "TCP6"].contains(words[1]), let source = IPAddress(String(words[2])),
            IPAddress(String(words[3])) != nil, isPort(words[4]), isPort(words[5]),
            words[2].contains(":") == (words[1] == "TCP6")
        else { return .malformed }
        return .complete(.client(source), length: feed + 1)
    }

    private static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && Int(text).map { $0 <= 65_535 } == true
    }

    private static func readVersion2(_ bytes: [UInt8]) -> Reading {
        guard bytes[12] >> 4 == 2 else { return .malformed }
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        guard rest <= maximumRest else { return .malformed }
        guard bytes.count >= 16 + rest else { return .incomplete }
        switch bytes[12] & 0xF {
        case 0: return .complete(.local, length: 16 + rest)
        case 1: break
        default: return .malformed
        }
        // The upper half is the family of addresses: 1 is IPv4 and 2 is IPv6. Other families have no address of a client.
        let size =
            switch bytes[13] >> 4 {
            case 1: 4
            case 2: 16
            default: 0
            }
        guard size > 0 else { return .complete(.client(nil), length: 16 + rest) }
        // Two addresses and two ports.
        guard rest >= 2 * size + 4 else { return .malformed }
        let source = Array(bytes[16..<(16 + size)])
        return .complete(.client(IPAddress(networkBytes: source.span)), length: 16 + rest)
    }
}
