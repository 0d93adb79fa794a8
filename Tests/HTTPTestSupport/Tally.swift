import Synchronization

/// A number that several tasks count up.
package final class Tally: Sendable {
    private let value = Atomic(0)

    /// Creates a tally of 0.
    package init() {}

    /// The number.
    package var count: Int { value.load(ordering: .relaxed) }

    /// Counts one more.
    package func add() { value.add(1, ordering: .relaxed) }
}
