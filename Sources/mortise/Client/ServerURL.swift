import FoundationEssentials

/// Where a Mortise answers.
package struct ServerURL: Sendable, Equatable {
    /// The default, which is also that of `mortise serve`.
    static let standard = "http://127.0.0.1:8080"

    /// The URL without a slash at its end.
    package let text: String
    /// Whether the connection is encrypted.
    package let isEncrypted: Bool
    /// Whether the connection stays on this machine.
    package let isLocal: Bool

    /// Checks a URL.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if it is none, or if it holds a name and password, a query or a fragment.
    package init(_ text: String, from source: String) throws(CommandFailure) {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host(), !host.isEmpty,
            ["http", "https", "http+unix"].contains(scheme)
        else {
            throw .usage(
                "\(source) is not the URL of a server, such as \(ServerURL.standard) or https://keys.example.com."
            )
        }
        guard url.user() == nil, url.password() == nil else {
            throw .usage("\(source) has a name or a password in it; Mortise takes a token instead.")
        }
        guard url.query() == nil, url.fragment() == nil else {
            throw .usage("\(source) may not have a query or a fragment.")
        }
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
