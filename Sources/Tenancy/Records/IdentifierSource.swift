public import FoundationEssentials
public import Keys

/// Where new ids and refs come from: a clock and randomness.
public struct IdentifierSource: Sendable {
    private let now: @Sendable () -> Timestamp
    private let random: @Sendable () -> UInt64

    /// Takes a clock and a source of random bits.
    public init(now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt64) {
        self.now = now
        self.random = random
    }

    /// The machine's clock and its secure randomness.
    public static let system = IdentifierSource(
        now: { Timestamp(microsecondsSinceUnixEpoch: Int64(Date.now.timeIntervalSince1970 * 1_000_000)) },
        random: {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
    )

    /// A new version-7 id.
    public func id() -> UUID {
        var generator = Generator(source: random)
        return UUIDv7.make(at: now(), using: &generator)
    }

    /// A new workspace ref in the first cell.
    public func workspaceRef() -> WorkspaceRef {
        var generator = Generator(source: random)
        return WorkspaceRef.random(using: &generator)
    }

    private struct Generator: RandomNumberGenerator {
        let source: @Sendable () -> UInt64
        mutating func next() -> UInt64 { source() }
    }
}
