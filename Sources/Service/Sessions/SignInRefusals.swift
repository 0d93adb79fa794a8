import Locks

/// The refused sign-ins that wait to be recorded as events.
///
/// Guessing must leave a trace, and must not fill the database. For each account the first refusal is recorded at once,
/// and later ones at most once a minute, with their number. An unknown address counts as an account, so that the time of
/// an answer does not tell which addresses are known.
final class SignInRefusals: Sendable {
    /// The reason for which a sign-in was refused.
    enum Reason: String, Hashable {
        case wrongCredentials = "wrong_credentials"
        case tooManyAttempts = "too_many_attempts"
        /// The identity provider does not say that the address is verified.
        case unverifiedEmail = "email_not_verified"
        /// No member has the address that the identity provider tells.
        case unknownMember = "unknown_member"
        /// Another subject of the identity provider is bound to the member.
        case otherSubject = "other_subject"
    }

    /// The time between two events about one account.
    static let interval = Duration.seconds(60)
    /// The maximum number of accounts; beyond it, no account has an event until the minute is over.
    static let capacity = 10_000

    private struct Key: Hashable {
        let account: String
        let reason: Reason
    }

    private struct Entry {
        var recordedAt: Duration
        var suppressed: Int
    }

    private let entries = Locked<[Key: Entry]>([:])
    private let elapsed: @Sendable () -> Duration

    init(elapsed: @escaping @Sendable () -> Duration) { self.elapsed = elapsed }

    /// Counts a refusal.
    ///
    /// - Returns: The number of refusals that an event now stands for, or `nil` if none is to be recorded.
    func count(_ account: String, _ reason: Reason) -> Int? {
        let (key, now) = (Key(account: account, reason: reason), elapsed())
        return entries.withLock { entries in
            if let entry = entries[key], now - entry.recordedAt < Self.interval {
                entries[key]?.suppressed += 1
                return nil
            }
            if entries.count >= Self.capacity {
                entries = entries.filter { now - $0.value.recordedAt < Self.interval }
                guard entries.count < Self.capacity else { return nil }
            }
            let count = 1 + (entries[key]?.suppressed ?? 0)
            entries[key] = Entry(recordedAt: now, suppressed: 0)
            return count
        }
    }
}
