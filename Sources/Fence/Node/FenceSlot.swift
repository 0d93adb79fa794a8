import Synchronization

/// A slot for the fences of one workspace, or of the keys that share the slot.
///
/// The generation and the number of open fences are one atomic number, so a reader sees both of one moment. Every operation is sequentially
/// consistent: on current processors such a read costs no more than a plain one.
final class FenceSlot: Sendable {
    /// The number of open fences in the low 32 bits, the generation in the high 32 bits.
    ///
    /// A generation comes back after 2³² fences. An entry of a cache does not live that long.
    private let word = Atomic<UInt64>(0)

    private static let oneGeneration: UInt64 = 1 << 32

    /// The state of a slot at one moment.
    struct Reading: Sendable, Hashable {
        fileprivate let word: UInt64

        /// True if a fence is open.
        var isFenced: Bool { word & 0xFFFF_FFFF != 0 }
    }

    /// The state of the slot at this moment.
    var reading: Reading { Reading(word: word.load(ordering: .sequentiallyConsistent)) }

    /// Opens a fence and begins a generation, in one step.
    func open() { word.add(Self.oneGeneration + 1, ordering: .sequentiallyConsistent) }

    /// Closes one fence.
    ///
    /// Other fences of the slot stay open (rule 10).
    func close() { word.subtract(1, ordering: .sequentiallyConsistent) }
}
