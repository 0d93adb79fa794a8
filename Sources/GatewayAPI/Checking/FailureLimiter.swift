import FoundationEssentials
import Keys
import Tenancy
import Verification

/// Counts the tokens of each end client that nobody in the audience has, and refuses more of them.
///
/// It bounds guesses, and refuses none below the limit. A key that is good is accepted from everywhere, so a stranger behind the same
/// address locks nobody out. The gateway's own address never counts: a request whose client is unknown is not limited.
final class FailureLimiter: Sendable {
    /// The number of failures a minute.
    ///
    /// A client with an old configuration stays far below.
    private static let limits = RateLimits(perMinute: 60, perHour: nil)

    private let limiter: SharedLimits

    /// Creates a limiter without failures, which counts those of all nodes.
    init(_ databases: Databases) {
        limiter = SharedLimits(UseLimiter(maximumKeys: 100_000)) { try databases.primaryLimits() }
    }

    /// Counts a failure.
    ///
    /// The caller cannot wait for the other nodes, so failures that they have not reported yet do not count.
    ///
    /// - Returns: The limit, if the client has reached it.
    func failure(of address: IPAddress) -> RateLimitVerdict? {
        guard let limits = Self.limits else { return nil }
        let verdict = limiter.useNow(Self.id(of: address), limits)
        return verdict?.isAllowed == false ? verdict : nil
    }

    /// Returns the id under which a client's failures count: an IPv6 address by its /64, which is what one customer has.
    private static func id(of address: IPAddress) -> UUID {
        let (version, bits): (UInt8, UInt64) =
            switch address {
            case .v4(let bits): (4, UInt64(bits))
            case .v6(let bits): (6, UInt64(truncatingIfNeeded: bits >> 64))
            }
        func byte(_ position: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> (8 * position)) }
        return UUID(
            uuid: (
                version, 0, 0, 0, 0, 0, 0, 0, byte(7), byte(6), byte(5), byte(4), byte(3), byte(2), byte(1), byte(0)
            )
        )
    }
}
