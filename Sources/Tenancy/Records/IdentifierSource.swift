public import FoundationEssentials
public import Keys

/// A source of new ids and workspace references: a clock and random bits.
public struct IdentifierSource: Sendable {
    private let now: @Sendable () -> Timestamp
    private let random: @Sendable () -> UInt64

    /// Creates a source.
    public init(now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable () -> UInt64) {
        self.now = now
        self.random = random
    }

    /// The machine's clock and secure random bits.
    public static let system = IdentifierSource(
        now: { Timestamp(microsecondsSinceUnixEpoch: Int64(Date.now.timeIntervalSince1970 * 1_000_000)) },
        random: {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
    )

    /// Returns a new id of version 7.
    public func id() -> UUID {
        var generator = Generator(source: random)
        return UUIDv7.make(at: now(), using: &generator)
    }

    /// Returns a new workspace reference in the first cell.
    public func workspaceRef() -> WorkspaceRef {
        var generator = Generator(source: random)
        return WorkspaceRef.random(using: &generator)
    }

    private struct Generator: RandomNumberGenerator {
        let source: @Sendable () -> UInt64
        mutating func next() -> UInt64 { source() }
    }
}
