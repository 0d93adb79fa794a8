package import FoundationEssentials
import Synchronization

/// A bounded number of places for work that occupies the processors all tenants share, such as the creation of a database.
///
/// An owner has one place at a time, and its next call waits until the place is free. A free place goes to an owner without one, and
/// these take turns. So an owner with many calls keeps no other waiting, unless there are more owners than places.
package final class FairPlaces: Sendable {
    private struct Place: Sendable {}

    /// The places: values that are lent to one caller each, because each has a key of its own.
    private let places: LeasedCache<UInt64, Place>
    private let last = Atomic<UInt64>(0)

    /// Creates places.
    ///
    /// - Parameters:
    ///   - count: The number of places.
    ///   - patience: The maximum wait for one of them.
    package init(_ count: Int, patience: Duration) {
        places = LeasedCache(capacity: count, maximumShare: 1, patience: patience, close: { _ in })
    }

    /// The number of callers that wait for a place.
    package var waitingCount: Int { places.waitingCount }

    /// Runs `body` at a place.
    ///
    /// `body` must not ask for another place of the same owner.
    ///
    /// - Parameters:
    ///   - owner: The owner; `nil` is an owner like any other.
    ///   - body: The work.
    /// - Returns: The value that `body` returned.
    /// - Throws: `capacityExceeded` if no place became free in time or too many callers wait, `CancellationError` if the task was
    ///   cancelled while it waited, and what `body` throws.
    package func withPlace<T>(of owner: UUID?, _ body: () async throws -> T) async throws -> T {
        let number = last.add(1, ordering: .relaxed).newValue
        return try await places.withValue(number, of: owner, make: { Place() }) { _ in try await body() }
    }

    /// Refuses those that wait, and later callers.
    package func shutdown() async { await places.shutdown() }
}
