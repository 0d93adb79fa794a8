/// The cookies of the console.
///
/// The prefix `__Host-` makes browsers refuse a cookie that another host or path has set, or that is not `Secure` (RFC 6265bis section
/// 4.1.3.2).
enum Cookie {
    /// The session of a member.
    static let session = "__Host-mortise"
    /// The session of an operator.
    static let operatorSession = "__Host-mortise-operator"
    /// A random text that binds the sign-in form to the browser.
    static let signIn = "__Host-mortise-sign-in"

    /// A sign-in with the identity provider that is under way.
    static let provider = "__Host-mortise-oidc"

    private static let attributes = "Secure; HttpOnly; SameSite=Strict; Path=/"

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
