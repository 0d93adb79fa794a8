/// A secret that derives the passwords of database roles, so that every node knows them and none is stored.
package struct RoleSecret: Sendable, Redacted {
    /// The id that a cluster's row keeps to say which secret its passwords were derived from.
    package let id: SecretID

    let secret: SecretBytes

    /// Creates a secret from its bytes, or returns `nil` unless there are 32 to 256.
    package init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
    }

    /// Returns the password of a role on one cluster: 32 base62 characters.
    ///
    /// Equal arguments give equal passwords.
    package func password(role: String, clusterID: String) -> RolePassword {
        var info = LengthPrefixed(purpose: "mortise role password")
        info.append(role.utf8)
        info.append(clusterID.utf8)
        let digits = Base62.digits(from: secret.derive(salt: [], info: info.bytes, count: 8 * RolePassword.length))
        return RolePassword(text: String(decoding: digits, as: UTF8.self))
    }
}

/// The password of a database role.
///
/// A password does not print.
package struct RolePassword: Sendable, Redacted {
    /// The number of characters of a password.
    package static let length = 32

    private let text: String

    init(text: String) { self.text = text }

    /// Returns the password itself, for the connection that needs it.
    package func reveal() -> String { text }
}
