package import HTTPTypes
package import Keys
package import NIOCore

/// Finds out where a request comes from.
///
/// That is the peer of the connection, unless the peer is a trusted proxy: then it is the right-most address in `X-Forwarded-For` that
/// is no trusted proxy's. What stands further left was written by whoever that is, and may be invented.
package struct ClientAddresses: Sendable, Equatable {
    private let trusted: [AddressRange]

    /// Trusts proxies at these addresses; nobody by default.
    package init(trusting trusted: [AddressRange] = []) {
        self.trusted = trusted
    }

    /// Reads a list of addresses and ranges with commas or blanks between them.
    ///
    /// - Throws: What is wrong with the first entry that is neither.
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

    /// The address of whoever sent a request; `nil` if it is not known, as behind a Unix-domain socket.
    package func address(_ headers: HTTPFields, _ peer: SocketAddress?) -> IPAddress? {
        guard let address = peer?.clientAddress else { return nil }
        guard !trusted.isEmpty, isTrusted(address) else { return address }
        var last = address
        for value in headers[values: .xForwardedFor].reversed() {
            for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                // A trusted proxy wrote something that is no address: who asked is not known.
                guard let next = IPAddress(entry.filter { $0 != " " && $0 != "\t" }) else { return nil }
                last = next
                if !isTrusted(next) { return next }
            }
        }
        return last
    }

    private func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
}

/// An entry in a list of trusted proxies that is neither an address nor a range.
package struct TrustedProxyFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The entry.
    package let entry: String
    /// What is wrong with it.
    package let reason: AddressFault

    /// The entry, and a sentence about it.
    package var description: String { "\"\(entry)\" cannot be trusted. \(reason)" }
}

extension HTTPField.Name {
    /// The addresses that a request came by, the client's first.
    fileprivate static let xForwardedFor: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Forwarded-For") else { preconditionFailure("the name is a token") }
        return name
    }()
}
