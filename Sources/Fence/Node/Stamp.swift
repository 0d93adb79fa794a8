/// The state of a node's fences to which an entry of a cache belongs (rule 16).
///
/// An entry counts as long as its stamp is the current one.
public struct Stamp: Sendable {
    let epoch: UInt64
    let workspace: WorkspaceFences
    let workspaceReading: FenceSlot.Reading
    let key: FenceSlot
    let keyReading: FenceSlot.Reading
}

/// The proof that a lease was good after a verification had started (rules 13 and 14).
///
/// The order of a hit is: the clock, the end of the lease, the entry, and then the stamp. ``NodeView/admits(_:_:)`` takes this proof, so
/// the steps cannot be exchanged.
public struct GoodLease: Sendable {
    init() {}
}

/// The state before a read of the database was written (rule 17).
public struct ReadTicket: Sendable {
    let workspace: WorkspaceFences
    let epoch: UInt64
    let count: UInt64
}

/// The use that a node may make of an answer of the database (rules 17, 20 and 21).
public enum ReadOutcome: Sendable {
    /// The lease is not good. The answer must not be used: renew and read again, or answer 503.
    case noLease
    /// The lease is one of another server than the read. The answer must not be used: read again on a new session, or answer 503.
    case otherServer
    /// The answer can be used now, and must not be stored.
    case answer
    /// The answer can be used now, and stored with a stamp.
    case store(Stamp)
}
