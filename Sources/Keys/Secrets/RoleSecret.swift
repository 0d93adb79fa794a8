/// Derives the passwords of database roles, so that none has to be stored and every node knows them.
public struct RoleSecret: Sendable, Redacted {
    /// The name by which a cluster's row says which secret its passwords were made with.
    public let id: SecretID

    let secret: SecretBytes

    /// The secret with these bytes, or `nil` unless there are 32 to 256.
    public init?(id: SecretID, bytes: [UInt8]) {
        guard let secret = SecretBytes(bytes) else { return nil }
        self.init(id: id, secret: secret)
    }

    init(id: SecretID, secret: SecretBytes) {
        self.id = id
        self.secret = secret
    }

    /// The password of `role` on one cluster: 32 base62 characters, the same for the same arguments.
    public func password(role: String, clusterID: String) -> RolePassword {
        var info = LengthPrefixed(purpose: "mortise role password")
        info.append(role.utf8)
        info.append(clusterID.utf8)
        let digits = Base62.digits(from: secret.derive(salt: [], info: info.bytes, count: 8 * RolePassword.length))
        return RolePassword(text: String(decoding: digits, as: UTF8.self))
    }
}

/// The password of a database role, which does not print.
public struct RolePassword: Sendable, Redacted {
    /// How many characters a password has.
    public static let length = 32

    private let text: String

    init(text: String) { self.text = text }

    /// The password itself, for the connection that needs it.
    public func reveal() -> String { text }
}
