import FoundationEssentials
import Postgres

/// The places of the changes of keys that are under fences at once, which organizations share fairly.
///
/// A change takes its place before its fences. The connections for fences are the same for all workspaces, so an organization with many
/// changes would otherwise leave none to the others.
final class FencePlaces: Sendable {
    /// A value for each change that is under way.
    private let places: LeasedCache<UUID, Void>

    /// Creates places, of which a quarter, and one at least, is kept from the organization that has most.
    ///
    /// - Parameters:
    ///   - count: The number of places.
    ///   - patience: The maximum wait for one.
    init(_ count: Int, patience: Duration) {
        places = LeasedCache(
            capacity: count,
            maximumShare: count > 2 ? count - max(1, count / 4) : nil,
            patience: patience,
            close: { _ in }
        )
    }

    /// Runs `body` in a place.
    ///
    /// - Parameters:
    ///   - organization: The organization that the place counts for. `nil` stands for operators.
    ///   - body: The change with its fences.
    /// - Returns: The value that `body` returned.
    /// - Throws: `capacityExceeded` if no place became free in time, `CancellationError`, and what `body` throws.
    func withPlace<T>(of organization: UUID?, _ body: () async throws -> T) async throws -> T {
        // A place that nobody uses must not count for the organization that used it last.
        try await withResource(
            UUID(),
            { place in
                try await places.withValue(place, of: organization, make: {}, { _ in try await body() })
            },
            close: { [places] place in await places.remove(place) }
        )
    }

    /// Refuses further changes, also those that wait.
    func shutdown() async { await places.shutdown() }
}
