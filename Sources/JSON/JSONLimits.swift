/// What the parser accepts at most.
public struct JSONLimits: Sendable {
    /// The largest number of bytes; 64 KiB by default.
    public var maximumBytes: Int

    /// How many arrays and objects may stand inside each other; 32 by default.
    public var maximumDepth: Int

    /// Makes limits.
    public init(maximumBytes: Int = 65_536, maximumDepth: Int = 32) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }
}
