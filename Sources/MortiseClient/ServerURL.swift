import FoundationEssentials

/// Where a Mortise answers.
///
/// `http`, `https` and, for a Unix socket, `http+unix` with the percent-encoded path as the host. A path is kept, for a
/// server behind a proxy.
///
/// ```swift
/// let url = try ServerURL("https://keys.example.com")
/// print(url.text, url.isEncrypted)
/// ```
public struct ServerURL: Sendable, Hashable {
    /// Why text is not the URL of a server.
    ///
    /// ```swift
    /// do {
    ///     _ = try ServerURL("https://name:password@keys.example.com")
    /// } catch {
    ///     switch error {
    ///     case .notAServer: print("It begins with https:// and a host.")
    ///     case .credentialsInside: print("Pass a token instead.")
    ///     case .queryOrFragment: print("It ends with the path.")
    ///     }
    /// }
    /// ```
    public enum Fault: Error, Sendable, Hashable {
        /// It is no URL, has no host, or is of another scheme.
        case notAServer
        /// It has a name or a password in it, which a log of the URL would show.
        case credentialsInside
        /// It has a query or a fragment.
        case queryOrFragment
    }

    /// The URL without a slash at its end.
    public let text: String
    /// Whether the connection is encrypted.
    public let isEncrypted: Bool
    /// Whether the connection stays on this machine.
    public let isLocal: Bool

    /// Checks a URL.
    ///
    /// ```swift
    /// let url = try ServerURL("http+unix://%2Frun%2Fmortise.sock")
    /// print(url.isLocal)
    /// ```
    ///
    /// - Throws: `Fault` if it is none, or if it holds a name and password, a query or a fragment.
    public init(_ text: String) throws(Fault) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host(), !host.isEmpty,
            ["http", "https", "http+unix"].contains(scheme)
        else { throw .notAServer }
        guard url.user() == nil, url.password() == nil else { throw .credentialsInside }
        guard url.query() == nil, url.fragment() == nil else { throw .queryOrFragment }
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        self.text = text
        isEncrypted = scheme == "https"
        isLocal = scheme == "http+unix" || ServerURL.isLoopback(host)
    }

    /// The URL of a path of the API; each segment is encoded, so that an id cannot leave its place.
    package func appending(_ segments: [String], query: [(name: String, value: String)] = []) -> String {
        var result = text
        for segment in segments { result += "/" + segment.percentEncoded }
        for (index, item) in query.enumerated() {
            result += (index == 0 ? "?" : "&") + item.name.percentEncoded + "=" + item.value.percentEncoded
        }
        return result
    }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }
}

extension String {
    /// The text with everything but the unreserved characters of RFC 3986 section 2.3 encoded.
    ///
    /// A dot is encoded where the segment is nothing else, since `..` would name another place.
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
