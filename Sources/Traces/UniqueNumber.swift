import Synchronization

/// The source of ids, which have to be unique and need not be secret.
///
/// A counter with scrambled bits saves the system call of a random number.
package enum UniqueNumber {
    private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    /// Returns a number that is not 0 and that the process has not returned before.
    package static func next() -> UInt64 {
        while true {
            let number = scramble(counter.wrappingAdd(1, ordering: .relaxed).newValue)
            if number != 0 { return number }
        }
    }

    /// The finalizer of SplitMix64, a bijection.
    private static func scramble(_ value: UInt64) -> UInt64 {
        var value = value &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
