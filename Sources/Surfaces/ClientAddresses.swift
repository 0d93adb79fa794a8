package import HTTPTypes
package import Keys
package import NIOCore

/// The rules that determine the client address of a request.
///
/// The client address is the address of the connection's peer. If the peer is a trusted proxy, the client address is the right-most
/// address in `X-Forwarded-For` that is not a trusted proxy's. The client can have invented the addresses to the left of it.
package struct ClientAddresses: Sendable, Equatable {
    private let trusted: [AddressRange]

    /// Creates rules that trust proxies at these addresses.
    ///
    /// The default trusts no proxy.
    package init(trusting trusted: [AddressRange] = []) {
        self.trusted = trusted
    }

    /// Creates rules from a list of addresses and ranges, separated by commas or blanks.
    ///
    /// - Throws: `TrustedProxyFault` for the first entry that is neither.
    package init(parsing list: String) throws(TrustedProxyFault) {
        var ranges: [AddressRange] = []
        for entry in list.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }) {
            do throws(AddressFault) {
                ranges.append(try AddressRange(String(entry)))
            } catch {
                throw TrustedProxyFault(entry: String(entry), reason: error)
            }
        }
        self.init(trusting: ranges)
    }

    /// Returns the client address of a request, or `nil` if it is unknown, as with a Unix-domain socket.
    package func address(_ headers: HTTPFields, _ peer: SocketAddress?) -> IPAddress? {
        guard let address = peer?.clientAddress else { return nil }
        guard isTrusted(address) else { return address }
        return client(in: headers[values: .xForwardedFor], behind: address)
    }

    /// Returns the client address that a trusted peer forwards: the right-most address that is not a trusted proxy's.
    ///
    /// - Parameters:
    ///   - lines: The values of `X-Forwarded-For`, in the order of the request.
    ///   - proxy: The client address if no line has an address of a client. `nil` if it is unknown then.
    /// - Returns: The address, or `nil` if it is unknown.
    package func client(in lines: [String], behind proxy: IPAddress?) -> IPAddress? {
        var last = proxy
        for value in lines.reversed() {
            var rest = value[...]
            while true {
                let comma = rest.utf8.lastIndex(of: UInt8(ascii: ","))
                let entry = comma.map { rest[rest.utf8.index(after: $0)...] } ?? rest
                // A trusted proxy wrote a text that is not an address, so the client is unknown.
                guard let next = Self.forwarded(entry) else { return nil }
                last = next
                if !isTrusted(next) { return next }
                guard let comma else { break }
                rest = rest[..<comma]
            }
        }
        return last
    }

    /// Returns the address of an entry, which can have a port, and which can be in brackets if it is an IPv6 address.
    ///
    /// Azure's application gateway and IIS write ports.
    package static func forwarded(_ entry: Substring) -> IPAddress? {
        let text = withoutBlanks(entry)
        if let address = IPAddress(text) { return address }
        guard text.hasPrefix("[") else {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            // An IPv6 address without brackets has no port.
            guard parts.count == 2, isPort(parts[1]) else { return nil }
            return IPAddress(String(parts[0]))
        }
        let parts = text.dropFirst().split(separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].isEmpty || (parts[1].hasPrefix(":") && isPort(parts[1].dropFirst())) else {
            return nil
        }
        guard let address = IPAddress(String(parts[0])), parts[0].contains(":") else { return nil }
        return address
    }

    /// Returns an entry without blanks at its ends.
    private static func withoutBlanks(_ entry: Substring) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let bytes = entry.utf8
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(entry[first...last])
    }

    private static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && Int(text).map { $0 <= 65_535 } == true
    }

    /// Returns true if a proxy at the address is trusted to name its clients.
    package func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
}

/// The error that an entry in a list of trusted proxies is neither an address nor a range.
package struct TrustedProxyFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The entry.
    package let entry: String
    /// The fault of the entry.
    package let reason: AddressFault

    /// The entry, and a sentence about it.
    package var description: String { "\"\(entry)\" cannot be trusted. \(reason)" }
}

extension HTTPField.Name {
    /// The addresses of the client and of the proxies that the request has passed, in this order.
    fileprivate static let xForwardedFor: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Forwarded-For") else { preconditionFailure("the name is a token") }
        return name
    }()
}
