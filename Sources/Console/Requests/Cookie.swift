/// The cookies of the console.
///
/// The prefix `__Host-` makes browsers refuse a cookie that another host or path has set, or that is not `Secure` (RFC 6265bis section
/// 4.1.3.2).
package enum Cookie {
    /// The session of a member.
    package static let session = "__Host-mortise"
    /// The session of an operator.
    static let operatorSession = "__Host-mortise-operator"
    /// A random text that binds the sign-in form to the browser.
    static let signIn = "__Host-mortise-sign-in"

    /// A sign-in with the identity provider that is under way.
    static let provider = "__Host-mortise-oidc"

    private static let attributes = "Secure; HttpOnly; SameSite=Strict; Path=/"

    /// Returns the value of a cookie.
    ///
    /// - Parameters:
    ///   - name: The cookie's name.
    ///   - lines: The values of the header lines `Cookie`.
    /// - Returns: The value; `nil` if the cookie is absent, or if there are two, of which one is somebody else's.
    package static func value(of name: String, in lines: [String]) -> String? {
        let start = "\(name)="
        // In bytes: a character that ends another site's cookie can take the semicolon behind it into one grapheme.
        let values = lines.flatMap { $0.utf8.split(separator: UInt8(ascii: ";")) }
            .compactMap { pair -> String? in
                let text = String(decoding: pair, as: UTF8.self).trimmed
                guard text.utf8.starts(with: start.utf8) else { return nil }
                return String(decoding: text.utf8.dropFirst(start.utf8.count), as: UTF8.self)
            }
        return values.count == 1 ? values[0] : nil
    }

    /// Returns the value of `Set-Cookie` that stores a cookie until the browser is closed.
    static func set(_ name: String, _ value: String) -> String { "\(name)=\(value); \(attributes)" }

    /// Returns the value of `Set-Cookie` that stores a cookie for some seconds, and that browsers send when a link of another site leads
    /// here.
    ///
    /// The provider's answer is such a link.
    static func setForLinks(_ name: String, _ value: String, seconds: Int) -> String {
        "\(name)=\(value); Secure; HttpOnly; SameSite=Lax; Path=/; Max-Age=\(seconds)"
    }

    /// Returns the value of `Set-Cookie` that deletes a cookie.
    static func clear(_ name: String) -> String { "\(name)=; \(attributes); Max-Age=0" }
}
