import FoundationEssentials
import Keys

/// A sign-in with the identity provider that is under way in one browser.
///
/// Its cookie has the verifier of PKCE, the start and the page that the person wanted, under a signature. The state and the nonce derive
/// from it, so a callback that another browser began does not fit the cookie of this one.
struct SignInFlow: Sendable {
    /// The time for a sign-in at the provider.
    static let lifetime = Duration.seconds(600)

    /// The time after which the flow is refused.
    let expiresAt: Timestamp
    /// The secret of PKCE (RFC 7636 section 4.1): 64 hexadecimal digits.
    let verifier: String
    /// The page that the person wanted.
    let next: String

    /// Begins a flow.
    init(next: String, at now: Timestamp, _ randomness: Randomness) {
        expiresAt = now + Self.lifetime
        verifier = Hex.encode(randomness.bytes(32))
        self.next = next
    }

    /// Reads a cookie, or returns `nil` for one that was not signed here.
    init?(cookie: String, _ signer: TextSigner) {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let end = Int64(parts[0], radix: 36), let next = Base64URL.decode(parts[2].utf8),
            signer.verify(parts[3], of: parts[0...2].joined(separator: "."), for: "oidc cookie")
        else { return nil }
        expiresAt = Timestamp(microsecondsSinceUnixEpoch: end)
        verifier = parts[1]
        self.next = String(decoding: next, as: UTF8.self)
    }

    /// Returns the value of the cookie.
    func cookie(_ signer: TextSigner) -> String {
        "\(text).\(signer.sign(text, for: "oidc cookie"))"
    }

    /// The challenge of PKCE with the method S256 (RFC 7636 section 4.2).
    var challenge: String { SessionService.challenge(of: verifier) }

    /// Returns the state, which the provider sends back.
    func state(_ signer: TextSigner) -> String { signer.sign(text, for: "oidc state") }

    /// Returns the nonce, which the ID token repeats.
    func nonce(_ signer: TextSigner) -> String { signer.sign(text, for: "oidc nonce") }

    /// Returns true if a callback has the flow's state.
    func has(state: String, _ signer: TextSigner) -> Bool { signer.verify(state, of: text, for: "oidc state") }

    /// Returns true if an ID token has the flow's nonce.
    func has(nonce: String, _ signer: TextSigner) -> Bool { signer.verify(nonce, of: text, for: "oidc nonce") }

    private var text: String {
        let end = String(expiresAt.microsecondsSinceUnixEpoch, radix: 36)
        return "\(end).\(verifier).\(Base64URL.encode(Array(next.utf8)))"
    }
}
