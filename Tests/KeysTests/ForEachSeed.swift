import TestSupport

/// Runs `body` for each seed from 1 to `count`, with a generator of that seed.
///
/// An expectation in `body` names the seed, so that a failure can be repeated.
func forEachSeed(_ count: Int, _ body: (UInt64, inout SplitMix64) throws -> Void) rethrows {
    for seed in 1...UInt64(count) {
        var generator = SplitMix64(seed: seed)
        try body(seed, &generator)
    }
}
