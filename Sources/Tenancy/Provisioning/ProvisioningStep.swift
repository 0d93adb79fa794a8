/// The steps between which a provisioner can be interrupted, in the order in which it takes them.
///
/// Tests interrupt it after each step. Reconciling again must then finish the work.
package enum ProvisioningStep: String, Sendable, CaseIterable {
    /// The row is committed, in state `creating`.
    case recorded
    /// The template database exists and is empty.
    case templateCreated
    /// The template database is migrated and not yet marked as complete.
    case templateMigrated
    /// The template database is complete.
    case templateCompleted
    /// The workspace's database exists.
    case cloned
    /// The workspace's database has the workspace's own row.
    case initialized
    /// The runtime role can connect.
    case opened
    /// The control row says `active`.
    case activated
    /// The control row requests another state, and the request is committed.
    case requested
    /// The workspace's own row has the requested state.
    case applied
    /// The control row has the requested state too.
    case completed
    /// The database is dropped.
    case dropped
    /// The control row is deleted.
    case removed
}
