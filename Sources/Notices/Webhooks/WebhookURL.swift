import FoundationEssentials
import Keys

/// The URL of a webhook, in the parts that a request needs.
package struct WebhookURL: Sendable, Hashable {
    /// The maximum length in bytes.
    package static let maximumLength = 2048

    /// True for https.
    let isEncrypted: Bool
    /// The host: a name, or an address without brackets.
    let host: String
    let port: Int
    /// The path and the query.
    let target: String

    /// Parses a URL: https, or http to this machine, without user and fragment.
    ///
    /// Returns `nil` for any other text. Over plain HTTP, everybody on the way could read the events.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumLength, !text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }),
            let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user == nil, url.password == nil,
            url.fragment == nil, let scheme = url.scheme
        else { return nil }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        guard Self.isHost(bare) else { return nil }
        switch scheme.lowercased() {
        case "https": isEncrypted = true
        case "http":
            guard Self.isLoopback(bare) else { return nil }
            isEncrypted = false
        default: return nil
        }
        self.host = bare.lowercased()
        port = url.port ?? (isEncrypted ? 443 : 80)
        guard (1...65_535).contains(port) else { return nil }
        let path = url.path(percentEncoded: true)
        target = (path.isEmpty ? "/" : path) + (url.query(percentEncoded: true).map { "?\($0)" } ?? "")
    }

    /// Returns true for a name in ASCII, or for an address without a zone.
    private static func isHost(_ host: String) -> Bool {
        if IPAddress(host) != nil { return true }
        return host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x2E || byte == 0x5F
            }
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        return IPAddress(host).map(AddressPolicy.isLoopback) ?? false
    }

    /// The address, if the host is one.
    var address: IPAddress? { IPAddress(host) }

    /// The value of the header `Host`.
    var authority: String {
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? bracketed : "\(bracketed):\(port)"
    }
}
