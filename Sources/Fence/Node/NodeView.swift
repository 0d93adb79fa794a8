public import FoundationEssentials
import Locks
public import Postgres
import Synchronization

/// A node's view of one cluster: its lease, its epochs and the fences that it has raised.
///
/// The view decides if a verification can be answered from memory. It has no I/O, and time is passed in. Any thread can read without a
/// lock. Only the keeper of the lease writes. The rules are those of decision 0014.
public final class NodeView: Sendable {
    /// The number of slots for keys.
    ///
    /// Two keys that share a slot cost each other a miss.
    static let keySlotCount = 4096

    let times: FenceTimes
    let epoch = Atomic<UInt64>(0)
    /// The end of the lease, in nanoseconds of ``Moment``.
    let leaseEnd = Atomic<Int64>(Moment.distantPast.nanoseconds)
    /// The timeline of the server that granted the lease, as the number of ``ServerTimeline/mark``.
    let leaseTimeline = Atomic<UInt64>(0)
    let nodes = Atomic<Int>(1)
    let keySlots: [FenceSlot]
    let workspaces = Locked<[UUID: WorkspaceFences]>([:])
    let keeping = Locked(Keeping())

    /// Creates a view without a lease.
    ///
    /// - Parameter times: The durations of the protocol.
    public init(times: FenceTimes = .standard) {
        self.times = times
        keySlots = (0..<Self.keySlotCount).map { _ in FenceSlot() }
    }

    /// The number of nodes with a lease on the cluster, this one included, at the last renewal.
    public var nodeCount: Int { nodes.load(ordering: .relaxed) }

    /// Returns the fences of a workspace.
    ///
    /// This takes a lock, so a caller keeps the result with what it knows of the workspace.
    public func fences(of workspace: UUID) -> WorkspaceFences {
        workspaces.withLock { known in
            if let fences = known[workspace] { return fences }
            let fences = WorkspaceFences()
            known[workspace] = fences
            return fences
        }
    }

    /// Returns the slot of a key.
    func slot(of key: UUID) -> FenceSlot {
        // Ids of version 7 begin with a time. The other half is random, and mixing it costs nothing.
        let bytes = key.uuid
        let tail =
            UInt64(bytes.8) << 56 | UInt64(bytes.9) << 48 | UInt64(bytes.10) << 40 | UInt64(bytes.11) << 32
            | UInt64(bytes.12) << 24 | UInt64(bytes.13) << 16 | UInt64(bytes.14) << 8 | UInt64(bytes.15)
        return keySlots[Int((tail &* 0x9E37_79B9_7F4A_7C15) >> 52)]
    }

    // MARK: A verification from the cache

    /// Looks at the lease.
    ///
    /// - Parameter now: The clock, read after the request was received (rule 13).
    /// - Returns: The proof that the lease is good, or `nil` if it is not.
    public func lease(at now: Moment) -> GoodLease? {
        now.nanoseconds < leaseEnd.load(ordering: .sequentiallyConsistent) ? GoodLease() : nil
    }

    /// Compares the stamp of an entry with the state of the fences.
    ///
    /// - Parameters:
    ///   - stamp: The stamp of the entry, which was read after the lease was found good (rule 15).
    ///   - lease: The proof of that.
    /// - Returns: True if the entry counts.
    public func admits(_ stamp: Stamp, _ lease: GoodLease) -> Bool {
        // A stamp is taken while no fence is open, so an equal reading has none either.
        stamp.epoch == epoch.load(ordering: .sequentiallyConsistent)
            && stamp.workspaceReading == stamp.workspace.slot.reading
            && stamp.keyReading == stamp.key.reading
    }

    // MARK: A verification from the database

    /// Notes the state of the fences before a read.
    ///
    /// Call this before the read is written. A verification can join the read until it is written, and not later (rule 19).
    ///
    /// - Parameter workspace: The fences of the workspace in whose database the read takes place.
    /// - Returns: The ticket of the read.
    public func willRead(in workspace: WorkspaceFences) -> ReadTicket {
        ReadTicket(
            workspace: workspace,
            epoch: epoch.load(ordering: .sequentiallyConsistent),
            count: workspace.count
        )
    }

    /// Decides about the answer of a read.
    ///
    /// - Parameters:
    ///   - ticket: The ticket from before the read was written.
    ///   - key: The id of the key that was found, or `nil` if there is none. An answer without a key is never stored.
    ///   - mark: The mark of the session that read, which stands for its timeline.
    ///   - now: The clock, read after the answer arrived (rule 20).
    /// - Returns: The use that the node can make of the answer.
    public func didRead(_ ticket: ReadTicket, key: UUID?, on mark: SessionMark, at now: Moment) -> ReadOutcome {
        // The end of the lease comes first: a grant writes it last.
        guard lease(at: now) != nil else { return .noLease }
        guard leaseTimeline.load(ordering: .sequentiallyConsistent) == mark.number else { return .otherServer }
        guard let key else { return .answer }
        let slot = self.slot(of: key)
        let stamp = Stamp(
            epoch: epoch.load(ordering: .sequentiallyConsistent),
            workspace: ticket.workspace,
            workspaceReading: ticket.workspace.slot.reading,
            key: slot,
            keyReading: slot.reading
        )
        guard !stamp.workspaceReading.isFenced, !stamp.keyReading.isFenced else { return .answer }
        // The count comes after the slots. A lift raises the count before it closes the slot, so a closed slot has its count (rule 18).
        guard stamp.epoch == ticket.epoch, ticket.workspace.count == ticket.count else { return .answer }
        return .store(stamp)
    }
}
