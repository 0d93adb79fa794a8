import TestSupport

/// Runs `body` with one generator for each seed of a fixed row; `body` names the seed it was given in what it expects.
func forEachSeed(_ count: Int, _ body: (UInt64, inout SplitMix64) throws -> Void) rethrows {
    for seed in 1...UInt64(count) {
        var generator = SplitMix64(seed: seed)
        try body(seed, &generator)
    }
}
