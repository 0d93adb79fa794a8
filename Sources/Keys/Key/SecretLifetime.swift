/// The lifetime of one secret of a key.
public struct SecretLifetime: Sendable, Hashable {
    /// The end of the secret.
    ///
    /// `nil` means that the secret ends with its key.
    public var endsAt: Timestamp?
    /// True if the secret was ended without a grace period.
    public var isEnded: Bool

    /// Creates a lifetime.
    ///
    /// By default the secret ends with its key.
    public init(endsAt: Timestamp? = nil, isEnded: Bool = false) {
        self.endsAt = endsAt
        self.isEnded = isEnded
    }

    /// Returns true if the secret has reached its end.
    ///
    /// The instant of the end is past the end.
    public func hasEnded(at now: Timestamp) -> Bool {
        isEnded || endsAt.map { $0 <= now } ?? false
    }
}
