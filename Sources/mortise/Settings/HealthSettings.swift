package import Connections

/// All settings of `mortise health`.
package struct HealthSettings: Sendable, Equatable {
    /// The listener that is asked.
    package var place: ListenerPlace
    /// True if the listener speaks TLS.
    package var usesTLS: Bool

    /// Reads the settings of `mortise serve` that name its listeners.
    ///
    /// The listener for operators is asked if there is one, because no client can fill its connections.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if a setting is malformed, or if the port is a free one that only the server knows.
    package init(_ reader: SettingReader) throws(CommandFailure) {
        let main = try reader.value(Settings.listen)
        let operations = try reader.value(Settings.operationsListen)
        let certificate = try reader.value(Settings.tlsCertificate)
        place = operations ?? main
        usesTLS = operations == nil && certificate != nil
        guard case .tcp(_, port: 0) = place else { return }
        throw .usage(
            "The server listens on a free port that only its log names.",
            details: ["Set a port with \(Settings.listen.declaration.variable)."]
        )
    }

    /// The URL of the readiness on the listener.
    ///
    /// A server that listens on all interfaces is asked on the loopback interface.
    package var url: String {
        let scheme = usesTLS ? "https" : "http"
        return switch place {
        case .tcp("0.0.0.0", let port): "\(scheme)://127.0.0.1:\(port)/readyz"
        case .tcp("::", let port): "\(scheme)://[::1]:\(port)/readyz"
        case .tcp(let host, let port) where host.contains(":"): "\(scheme)://[\(host)]:\(port)/readyz"
        case .tcp(let host, let port): "\(scheme)://\(host):\(port)/readyz"
        case .unixSocket(let path): "\(scheme)+unix://\(Self.escaped(path))/readyz"
        }
    }

    /// The name of the listener in messages: the URL, or the address of the socket, whose URL nobody can read.
    package var name: String {
        if case .unixSocket = place { "\(place)" } else { url }
    }

    /// Returns a path in the form that a URL has in the place of its host, where every other byte than a letter or a digit is escaped.
    private static func escaped(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return path.utf8.reduce(into: "") { text, byte in
            let isPlain = [
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
            ]
            .contains { $0.contains(byte) }
            text += isPlain ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
    }
}
