public import Keys

/// The OpenID provider that members can sign in with, as the operator's settings name it.
public struct IdentityProvider: Sendable, Equatable {
    /// The issuer: the exact value of `iss` in the provider's tokens, an https URL, or http of this machine.
    public var issuer: String
    /// The id under which the provider knows this installation.
    public var clientID: String
    /// The secret by which the provider authenticates this installation.
    public var clientSecret: ClientSecret
    /// The name on the button, such as `Acme`.
    public var name: String

    /// Creates a provider.
    public init(issuer: String, clientID: String, clientSecret: ClientSecret, name: String) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.name = name
    }
}

extension IdentityProvider {
    /// Returns true for a text that can be an issuer: an https URL, or http of this machine, without a query and a fragment (OpenID Connect
    /// Discovery section 3).
    public static func isIssuer(_ text: String) -> Bool {
        TrustedURL.isGood(text, allowsLocal: true) && !text.contains("?") && !text.contains("#")
    }

    /// Returns the host of an issuer, with its port.
    public static func host(of issuer: String) -> String {
        TrustedURL.origin(issuer).map { String($0.drop { $0 != "/" }.dropFirst(2)) } ?? issuer
    }
}

/// The secret of a client of an OpenID provider.
public struct ClientSecret: Sendable, Equatable, Redacted {
    private let text: String

    /// Wraps a secret.
    public init(_ text: String) { self.text = text }

    /// Returns the secret, for the one request that needs it.
    func reveal() -> String { text }
}

/// The URLs that Mortise sends credentials to, or trusts keys from.
enum TrustedURL {
    /// Returns true for an https URL, and for an http URL of this machine if those are allowed.
    ///
    /// Over plain HTTP, anybody on the way could exchange the keys.
    static func isGood(_ text: String, allowsLocal: Bool) -> Bool {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !text.contains("\\"),
            let authority = authority(text), !authority.isEmpty, authority.utf8.allSatisfy(isInAuthority),
            hasPort(authority)
        else { return false }
        return text.hasPrefix("https://") || (allowsLocal && isLocal(text))
    }

    /// Returns true if the port of a URL is absent, or one that exists.
    ///
    /// HTTP clients end the program for a larger number.
    static func hasPort(in text: String) -> Bool {
        let rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return hasPort(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
    }

    private static func hasPort(_ authority: some StringProtocol) -> Bool {
        let rest = authority.split(separator: "]", omittingEmptySubsequences: false).last ?? ""
        guard let colon = rest.lastIndex(of: ":") else { return true }
        let digits = rest[rest.index(after: colon)...]
        return digits.isEmpty || (digits.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(digits) ?? 0 > 0)
    }

    /// Returns true for an http URL of this machine.
    static func isLocal(_ text: String) -> Bool {
        guard text.hasPrefix("http://"), let authority = authority(text) else { return false }
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return ["127.0.0.1", "[::1]", "localhost"].contains(host)
    }

    /// Returns the scheme, the host and the port of a URL.
    static func origin(_ text: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix), let authority = authority(text) else {
            return nil
        }
        return scheme + authority.lowercased()
    }

    /// Returns true for a byte of a host and a port.
    ///
    /// The policy of the sign-in page contains the authority, where a `;` would begin a rule of somebody else's choice. An `@` would make
    /// what looks like the host a name.
    private static func isInAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._:[]".utf8.contains(byte)
        }
    }

    private static func authority(_ text: String) -> Substring? {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return nil }
        return text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }
}
