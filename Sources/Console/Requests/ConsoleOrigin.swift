import Endpoints
import HTTPTypes

/// The origin of the console's own pages, and the check that a request comes from one of them.
///
/// A page of another site can make a browser send a form here. It cannot make it lie about the sender: `Sec-Fetch-Site` and `Origin` are
/// set by the browser itself (the Fetch standard, section 3.1; Fetch Metadata Request Headers, section 2).
struct ConsoleOrigin: Sendable {
    /// The origin behind a proxy, such as `https://keys.example.com`.
    ///
    /// `nil` takes the scheme and the `Host` of a request to a loopback address.
    private let fixed: String?

    /// Creates the origin.
    ///
    /// - Parameter publicURL: The URL that browsers use; its path does not matter.
    init(publicURL: String?) {
        fixed = publicURL.map(Self.origin)
    }

    /// Returns the origin of a URL, in lower case and without the default port.
    private static func origin(_ url: String) -> String {
        let parts = url.lowercased().split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return url.lowercased() }
        var authority = parts[2].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if parts[0] == "https:", authority.hasSuffix(":443") { authority = authority.dropLast(4) }
        if parts[0] == "http:", authority.hasSuffix(":80") { authority = authority.dropLast(3) }
        return "\(parts[0])//\(authority)"
    }

    /// Returns the origin for a request, or `nil` if the settings do not tell.
    func origin(of request: HTTPRequest) -> String? {
        if let fixed { return fixed }
        guard let authority = request.authority?.lowercased(), Self.isLoopback(authority) else { return nil }
        // A listener with a certificate gives its requests the scheme `https`.
        return Self.origin("\(request.scheme == "https" ? "https" : "http")://\(authority)")
    }

    /// Returns true for the hosts for which browsers keep a cookie with `Secure` over plain HTTP.
    private static func isLoopback(_ authority: String) -> Bool {
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return host == "localhost" || host == "127.0.0.1" || host == "[::1]"
    }

    /// Returns true if a page of the console sent the request.
    ///
    /// Browsers send `Origin: null` from a page that hides its origin. That passes only with a `Sec-Fetch-Site` that vouches for it. A
    /// request without both fields is from no browser that could hold a session.
    func isOwn(_ request: HTTPRequest) -> Bool {
        let sites = request.headerFields[values: .secFetchSite]
        let origins = request.headerFields[values: .origin]
        guard sites.count <= 1, origins.count <= 1, !(sites.isEmpty && origins.isEmpty) else { return false }
        if let site = sites.first, site != "same-origin" { return false }
        guard let origin = origins.first else { return true }
        if origin == "null" { return sites.first == "same-origin" }
        return origin.lowercased() == self.origin(of: request)
    }

    /// Returns the sentence for a request from elsewhere.
    func refusal(of request: HTTPRequest) -> String {
        origin(of: request) == nil
            ? "The console does not know its own address. Set MORTISE_PUBLIC_URL to the address that browsers use, and restart Mortise."
            : "The request did not come from a page of this console. Nothing was changed. Open the page again and repeat it there."
    }
}

extension HTTPField.Name {
    /// The relation between the site of the page that sent a request and the site of its target.
    static let secFetchSite = known("Sec-Fetch-Site")
    /// The kind of request, such as `navigate`.
    static let secFetchMode = known("Sec-Fetch-Mode")
    /// The fields about the use of an answer that HTTPTypes does not name.
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
    static let crossOriginResourcePolicy = known("Cross-Origin-Resource-Policy")
    static let referrerPolicy = known("Referrer-Policy")
    static let permissionsPolicy = known("Permissions-Policy")

    /// Creates a name from a literal.
    private static func known(_ name: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(name)") else { preconditionFailure("not a header name: \(name)") }
        return name
    }
}
