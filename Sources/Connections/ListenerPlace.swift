/// The place of a listener.
package enum ListenerPlace: Sendable, Hashable {
    /// A TCP port. Port 0 is any free port.
    case tcp(host: String, port: Int)
    /// A Unix-domain socket. The server creates it.
    case unixSocket(path: String)

    /// Reads `HOST:PORT` or `unix:PATH`, with an IPv6 address in brackets.
    ///
    /// Returns `nil` for any other text. A path has no semicolon, which begins an option in lists of addresses.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, !path.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: ";") }) else { return nil }
            self = .unixSocket(path: path)
        } else if let address = ListenAddress(text) {
            self = .tcp(host: address.host, port: address.port)
        } else {
            return nil
        }
    }
}

extension ListenerPlace: CustomStringConvertible {
    /// The text that `init(_:)` reads.
    package var description: String {
        switch self {
        case .tcp(let host, let port): ListenAddress(host: host, port: port).description
        case .unixSocket(let path): "unix:\(path)"
        }
    }
}
