/// A source of random bits as a value: the system's CSPRNG, or a sequence that a test can repeat.
public struct Randomness: RandomNumberGenerator, Sendable {
    private let source: @Sendable () -> UInt64

    /// Creates a source from a function.
    public init(_ source: @escaping @Sendable () -> UInt64) { self.source = source }

    /// The system's generator, which Swift documents as cryptographically secure (on Linux getrandom).
    public static let system = Randomness {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    /// Returns the next 64 bits.
    public func next() -> UInt64 { source() }

    /// Returns random bytes.
    func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let word = next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return Array(bytes.prefix(count))
    }
}
