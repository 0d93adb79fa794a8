package import FoundationEssentials
import Postgres
import Synchronization

/// A bounded number of places for work that all tenants share the means of, such as processors or connections.
///
/// An owner has a limited share of the places, and its further calls wait. A free place goes to the waiting owner that has the fewest, and
/// among several they take turns.
package final class FairPlaces: Sendable {
    /// The places that one owner can have at a time.
    package enum Share: Sendable {
        /// One place. An owner with many calls keeps no other waiting, unless there are more owners than places.
        case one
        /// All places except a quarter of them, and except at least one. If there are two places or fewer, one owner can have all of them.
        case allButAQuarter

        fileprivate func maximum(of count: Int) -> Int? {
            switch self {
            case .one: 1
            case .allButAQuarter: count > 2 ? count - max(1, count / 4) : nil
            }
        }
    }

    /// A value for each call that is under way, with a key of its own.
    private let places: LeasedCache<UInt64, Void>
    private let last = Atomic<UInt64>(0)

    /// Creates places.
    ///
    /// - Parameters:
    ///   - count: The number of places.
    ///   - share: The places that one owner can have.
    ///   - patience: The maximum wait for one of them.
    package init(_ count: Int, share: Share = .one, patience: Duration) {
        places = LeasedCache(
            capacity: count,
            maximumShare: share.maximum(of: count),
            patience: patience,
            close: { _ in }
        )
    }

    /// The number of callers that wait for a place.
    package var waitingCount: Int { places.waitingCount }

    /// Runs `body` at a place.
    ///
    /// `body` must not wait for another place of the same owner.
    ///
    /// - Parameters:
    ///   - owner: The owner; `nil` is an owner like any other.
    ///   - body: The work.
    /// - Returns: The value that `body` returned.
    /// - Throws: `capacityExceeded` if no place became free in time or too many callers wait, `CancellationError` if the task was
    ///   cancelled while it waited, and the errors of `body`.
    package func withPlace<T>(of owner: UUID?, _ body: () async throws -> T) async throws -> T {
        // A place that nobody uses must not count for the owner that used it last.
        try await withResource(
            last.add(1, ordering: .relaxed).newValue,
            { place in
                try await places.withValue(place, of: owner, make: {}, { _ in try await body() })
            },
            close: { [places] place in await places.remove(place) }
        )
    }

    /// Refuses those that wait, and later callers.
    package func shutdown() async { await places.shutdown() }
}
