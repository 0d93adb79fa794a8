import Fence
package import Keys
package import Tenancy

/// The place of keys: a workspace's database, or the control database, with what a node knows of it.
package final class KeyHome: Sendable {
    /// The reference in the tokens of the keys.
    package let ref: WorkspaceRef
    /// The workspace.
    ///
    /// `nil` is the control database, which holds admin and operator keys.
    package let workspace: WorkspaceFacts?
    /// The place of the counts of the keys.
    let counts: UsageRecorder.Database
    /// The peppers of the tokens.
    package let peppers: WorkspacePeppers
    /// The keeper of this node's lease on the cluster.
    let keeper: LeaseKeeper
    /// The fences of the workspace.
    let fences: WorkspaceFences
    /// The rate limits of the keys, which the nodes share.
    package let limits: SharedLimits

    init(_ workspace: WorkspaceFacts?, peppers: WorkspacePeppers, keeper: LeaseKeeper, limits: SharedLimits) {
        self.limits = limits
        ref = workspace?.ref ?? .root
        self.workspace = workspace
        counts = workspace.map { .workspace($0) } ?? .control
        self.peppers = peppers
        self.keeper = keeper
        fences = keeper.view.fences(of: workspace?.workspaceID ?? Workspace.rootID)
    }
}
