package import FoundationEssentials
import Locks

/// The databases in which a change or a use on this node can make a notice due before the next search.
///
/// They wait in memory until the next round of searches. Beyond the bound, and after a crash, the search of each hour finds the notices.
package final class SearchRequests: Sendable {
    private static let capacity = 10_000

    struct Batch: Sendable {
        /// Workspaces, and organizations for their admin keys.
        var places: Set<UUID> = []
        /// Admin keys, whose organizations are to be searched.
        var adminKeys: Set<UUID> = []
        /// Organizations, of which everything is to be searched, also for unused keys.
        var organizations: Set<UUID> = []

        var isEmpty: Bool { places.isEmpty && adminKeys.isEmpty && organizations.isEmpty }
    }

    private let state = Locked(Batch())

    /// Creates an empty collection.
    package init() {}

    /// Asks for a search in a workspace, or of the admin keys of an organization.
    package func add(_ place: UUID) {
        state.withLock { if $0.places.count < Self.capacity { $0.places.insert(place) } }
    }

    /// Asks for a search of the admin keys of the organizations that own some keys.
    package func add(ofAdminKeys ids: [UUID]) {
        state.withLock { batch in
            for id in ids where batch.adminKeys.count < Self.capacity { batch.adminKeys.insert(id) }
        }
    }

    /// Asks for complete searches in all workspaces of an organization and of its admin keys.
    package func add(allOf organization: UUID) {
        state.withLock { if $0.organizations.count < Self.capacity { $0.organizations.insert(organization) } }
    }

    /// Adds requests that could not be noted.
    func add(_ batch: Batch) {
        for id in batch.places { add(id) }
        for id in batch.organizations { add(allOf: id) }
        add(ofAdminKeys: Array(batch.adminKeys))
    }

    /// Removes and returns all requests.
    func take() -> Batch {
        state.withLock { batch in
            defer { batch = Batch() }
            return batch
        }
    }
}
