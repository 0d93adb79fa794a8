/// A limit of attempts, such as guesses of a password.
public struct AttemptLimit: Sendable, Hashable {
    /// The number of attempts in each period.
    public let limit: Int
    /// The time in which all attempts become available again.
    public let period: Duration
}
