import Locks

/// The facts about a request that become known while it is answered, for its log line.
///
/// The layer that answers requests creates a trail. Layers beneath it, which know no HTTP, add to it.
package final class RequestTrail: Sendable {
    /// The trail of the request that the task answers, if its log line is wanted.
    @TaskLocal package static var current: RequestTrail?

    private let workspace = Locked<String?>(nil)

    /// Creates an empty trail.
    package init() {}

    /// The id of the workspace that the request is about, once it is known.
    package var workspaceID: String? { workspace.withLock(\.self) }

    /// Notes the workspace that the request is about.
    ///
    /// The first one stays.
    package func note(workspaceID: String) {
        workspace.withLock { $0 = $0 ?? workspaceID }
    }
}
