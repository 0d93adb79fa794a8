/// How long one of a key's secrets opens it.
public struct SecretLifetime: Sendable, Hashable {
    /// When it ends, if it ends before its key.
    public var endsAt: Timestamp?
    /// Whether it was ended at once, without a grace period.
    public var isEnded: Bool

    /// A lifetime; by default the key's own.
    public init(endsAt: Timestamp? = nil, isEnded: Bool = false) {
        self.endsAt = endsAt
        self.isEnded = isEnded
    }

    /// Whether its time is over; an instant equal to the end is past it.
    public func hasEnded(at now: Timestamp) -> Bool {
        isEnded || endsAt.map { $0 <= now } ?? false
    }
}
