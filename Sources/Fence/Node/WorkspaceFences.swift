import Synchronization

/// A node's knowledge of the fences in one workspace.
///
/// It exists as long as the view that created it. Keep a reference to it with what is known of the workspace.
public final class WorkspaceFences: Sendable {
    let slot = FenceSlot()
    /// The number of fences that were raised or lifted in the workspace: those of the workspace and those of its keys.
    private let changes = Atomic<UInt64>(0)

    init() {}

    var count: UInt64 { changes.load(ordering: .sequentiallyConsistent) }

    /// Counts a fence that is raised or lifted.
    func countChange() { changes.add(1, ordering: .sequentiallyConsistent) }
}
