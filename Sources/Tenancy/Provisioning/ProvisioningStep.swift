/// The steps between which a provisioner can be interrupted, in the order in which they are taken.
///
/// Tests stop at each of them; what is left must be mended by settling again.
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
    /// It knows whose it is.
    case initialized
    /// The runtime role may connect.
    case opened
    /// The row says `active`.
    case activated
    /// A change of state is committed as a wish.
    case decided
    /// The workspace's own row has the new state.
    case carriedOut
    /// The row has it too.
    case settled
    /// The database is dropped.
    case dropped
    /// The row is gone.
    case removed
}
