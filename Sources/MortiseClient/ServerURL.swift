#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The URL of a Mortise server.
///
/// The scheme is `https`, `http` or, for a Unix socket, `http+unix` with the percent-encoded path of the socket as the
/// host. The URL can have a path, for a server behind a proxy.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "url")
public struct ServerURL: Sendable, Hashable {
    /// The URL without a trailing slash.
    public let text: String
    /// True if connections are encrypted: the scheme is `https`.
    public let isEncrypted: Bool
    /// True if connections stay on this machine: the host is `localhost` or a loopback address, or the scheme is
    /// `http+unix`.
    public let isLocal: Bool
    /// True for a Unix socket.
    let isSocket: Bool

    /// Creates a URL from a text.
    ///
    /// - Parameter text: The text, such as `https://keys.example.com`. Trailing slashes are removed.
    /// - Throws: ``Fault`` if the text is not the URL of a server.
    public init(_ text: String) throws(Fault) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host(), !host.isEmpty,
            ["http", "https", "http+unix"].contains(scheme), ServerURL.hasPort(text)
        else { throw .notAServer }
        guard url.user() == nil, url.password() == nil else { throw .credentialsInside }
        guard url.query() == nil, url.fragment() == nil else { throw .queryOrFragment }
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        self.text = text
        isEncrypted = scheme == "https"
        isSocket = scheme == "http+unix"
        isLocal = isSocket || ServerURL.isLoopback(host)
    }

    /// Returns the URL of a path of the API.
    ///
    /// Each segment is percent-encoded, so that an id with a slash or a dot cannot name another path.
    package func appending(_ segments: [String], query: [(name: String, value: String)] = []) -> String {
        var result = text
        for segment in segments { result += "/" + segment.percentEncoded }
        for (index, item) in query.enumerated() {
            result += (index == 0 ? "?" : "&") + item.name.percentEncoded + "=" + item.value.percentEncoded
        }
        return result
    }

    /// Returns true if the port is absent, or one that exists.
    ///
    /// HTTP clients end the program for a larger number.
    private static func hasPort(_ text: String) -> Bool {
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let last = host.split(separator: "]", omittingEmptySubsequences: false).last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return true }
        let digits = last[last.index(after: colon)...]
        return digits.isEmpty || (digits.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(digits) ?? 0 > 0)
    }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }
}

extension String {
    /// The text with every byte percent-encoded, except the unreserved characters of RFC 3986 section 2.3.
    ///
    /// The dots of `.` and `..` are encoded too, because as segments of a path they would name another resource.
    fileprivate var percentEncoded: String {
        let isDots = self == "." || self == ".."
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: ".") where !isDots: text.append(".")
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}
