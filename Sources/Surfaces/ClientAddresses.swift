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
        guard !trusted.isEmpty, isTrusted(address) else { return address }
        var last = address
        for value in headers[values: .xForwardedFor].reversed() {
            for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                // A trusted proxy wrote a text that is not an address, so the client is unknown.
                guard let next = IPAddress(entry.filter { $0 != " " && $0 != "\t" }) else { return nil }
                last = next
                if !isTrusted(next) { return next }
            }
        }
        return last
    }

    private func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
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
