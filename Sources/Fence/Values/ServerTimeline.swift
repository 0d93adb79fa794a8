/// The history of changes that a server continues: a timeline of PostgreSQL, and the identifier of the data folder.
///
/// A promotion begins a new timeline. A server to which a dump was restored has another identifier.
public struct ServerTimeline: Sendable, Hashable {
    /// The system identifier, which a server shares with its standbys.
    public let system: Int64
    /// The number of the timeline.
    public let number: Int64

    /// Creates a timeline.
    public init(system: Int64, number: Int64) {
        self.system = system
        self.number = number
    }

    /// A number that stands for this timeline in an atomic variable, and is not 0.
    ///
    /// Two timelines with the same number differ with a probability of all but 2⁻⁶⁴. The multiplier is that of Fibonacci hashing.
    var tag: UInt64 {
        let mixed = UInt64(bitPattern: system) ^ (UInt64(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15)
        return mixed == 0 ? 1 : mixed
    }
}
