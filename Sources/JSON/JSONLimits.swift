/// The largest text that the parser accepts.
public struct JSONLimits: Sendable {
    /// The largest number of bytes.
    ///
    /// Defaults to 64 KiB.
    public var maximumBytes: Int

    /// The largest number of nested arrays and objects.
    ///
    /// Defaults to 32.
    public var maximumDepth: Int

    /// Creates limits.
    public init(maximumBytes: Int = 65_536, maximumDepth: Int = 32) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }
}
