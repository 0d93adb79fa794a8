import Keys
import Tenancy

/// The peppers of the workspaces whose keys were verified, so that a verification does not derive them again.
final class PepperCache: Sendable {
    /// The number of workspaces at which the cache starts anew.
    ///
    /// An entry takes some 300 bytes in each copy. A derivation takes some microseconds.
    private static let maximum = 16_384

    private let ring: PepperRing
    private let known = ReadMostlyMap<WorkspaceRef, WorkspacePeppers>()

    init(_ ring: PepperRing) {
        self.ring = ring
    }

    /// The peppers of a workspace.
    subscript(ref: WorkspaceRef) -> WorkspacePeppers {
        if let known = known[ref] { return known }
        if known.count >= Self.maximum { known.removeAll() }
        return known.insert(ring.peppers(of: ref), for: ref)
    }
}
