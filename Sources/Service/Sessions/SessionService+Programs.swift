import Crypto
import FoundationEssentials
import KeyStore
import Keys
import People
import Postgres

/// Sessions of programs on a person's machine, which begin in the person's browser (RFC 8252).
extension SessionService {
    /// The time in which a program must exchange its code.
    private static let codeLifetime = Duration.seconds(60)
    private static let codeParts = 5

    /// Returns the code with which a program begins a session of a member.
    ///
    /// The code works once, for a minute, while the member's own session is alive, and with the text whose digest is the challenge. Whoever
    /// sees the code on its way through the browser cannot use it.
    ///
    /// - Parameters:
    ///   - session: The session of the member who confirmed.
    ///   - challenge: The challenge of PKCE with the method S256 (RFC 7636 section 4.2).
    /// - Returns: The code, or `nil` for a text that is no challenge.
    public func code(for session: BrowserSession, challenge: String) -> String? {
        guard Self.isChallenge(challenge) else { return nil }
        let end = session.readAt + Self.codeLifetime
        let text = [
            String(end.microsecondsSinceUnixEpoch, radix: 36), UUIDv7.text(of: session.sessionID), challenge,
            Base64URL.encode(context.randomness.bytes(16)),
        ]
        .joined(separator: ".")
        return "\(text).\(signer.sign(text, for: "program code"))"
    }

    /// Returns the challenge of a verifier, by the method S256.
    public static func challenge(of verifier: String) -> String {
        Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8))))
    }

    /// Returns true for 32 bytes in base64url, as a challenge has them.
    public static func isChallenge(_ text: String) -> Bool { Base64URL.decode(text.utf8)?.count == 32 }

    /// Returns the letters by which a person recognizes a challenge: those that the program shows are those of the page.
    public static func comparison(of challenge: String) -> String {
        let digest = SHA256.hash(data: Array("mortise login \(challenge)".utf8)).prefix(4)
        // Consonants, which spell no word and look like no digit.
        let letters = Array("BCDFGHJKMNPQRSTVWXZ")
        let text = digest.map { "\(letters[Int($0) % 19])\(letters[Int($0) / 19 % 19])" }
        return "\(text[0])\(text[1])-\(text[2])\(text[3])"
    }

    /// Exchanges a code for a session of its own.
    ///
    /// It ends at the latest when the session that confirmed it would: nobody proved again who they are.
    ///
    /// - Parameters:
    ///   - code: The code.
    ///   - verifier: The text whose digest is the challenge.
    ///   - origin: The request's origin.
    /// - Returns: The session and its tokens.
    /// - Throws: `Refusal.unauthenticated` for a code that is unknown, late, used, or of another program, and for one whose member has
    ///   signed out.
    public func begin(code: String, verifier: String, from origin: RequestOrigin) async throws -> SignedIn {
        let parts = code.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == Self.codeParts, let end = Int64(parts[0], radix: 36), let id = UUIDv7.parse(parts[1]),
            signer.verify(parts[4], of: parts[0...3].joined(separator: "."), for: "program code"),
            (43...128).contains(verifier.utf8.count),
            Self.challenge(of: verifier) == parts[2]
        else { throw Refusal.unauthenticated }
        let expiresAt = Timestamp(microsecondsSinceUnixEpoch: end)
        return try await context.changeControl(.gives) { transaction in
            let people = context.people(in: transaction)
            guard try await transaction.now() < expiresAt,
                try await people.useOnce("code \(parts[3])", until: expiresAt),
                let session = try await people.store.session(id),
                let user = try await people.lockUser(session.user.id)?.user, user.disabledAt == nil,
                // The lock waits for a removal or a sign-out of everything, so the session is read after it.
                let current = try await people.store.session(id), current.isAlive
            else { throw Refusal.unauthenticated }
            return try await begin(
                user.id,
                organization: current.organizationID,
                until: current.expiresAt,
                from: origin,
                in: transaction
            )
        }
    }
}
