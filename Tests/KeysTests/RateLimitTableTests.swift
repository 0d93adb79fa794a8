import FoundationEssentials
import Keys
import TestSupport
import Testing

@Suite struct RateLimitTableTests {
    private static let second: Int64 = 1_000_000_000

    private func use(
        _ table: inout RateLimitTable,
        _ key: UUID,
        _ limits: RateLimits,
        at now: Int64
    ) -> RateLimitVerdict? {
        table.withUsage(of: key, at: now) { limits.use(&$0, at: now) }
    }

    // The oracle is a dictionary, which forgets nothing.
    @Test func `a table below its bound decides as a dictionary does`() throws {
        let limits = try [
            #require(RateLimits(perMinute: 1, perHour: nil)), #require(RateLimits(perMinute: 5, perHour: 20)),
            #require(RateLimits(perMinute: nil, perHour: 3)), .unlimited,
        ]
        forEachSeed(20) { seed, generator in
            var table = RateLimitTable(maximumKeys: 65_536, seed: generator.next())
            var oracle: [UUID: RateLimits.Usage] = [:]
            let keys = (0..<300).map { _ in generator.uuid() }
            var clock: Int64 = 0
            for _ in 0..<3_000 {
                clock += Int64.random(in: 0...Self.second, using: &generator)
                let (key, limit) = (generator.pick(keys), generator.pick(limits))
                let expected = limit.use(&oracle[key, default: RateLimits.Usage()], at: clock)
                #expect(use(&table, key, limit, at: clock) == expected, "seed \(seed)")
            }
        }
    }

    // Attack: a tenant uses very many keys, so that the node runs out of memory.
    @Test func `a table never has more than its bound`() throws {
        let limits = try #require(RateLimits(perMinute: 1, perHour: nil))
        var generator = SplitMix64(seed: 1)
        var table = RateLimitTable(maximumKeys: 1_000, seed: 7)
        for _ in 0..<20_000 { _ = use(&table, generator.uuid(), limits, at: 0) }
        #expect(table.capacity == 1_024)
    }

    @Test func `a table does not grow for keys whose limits are available again`() throws {
        let limits = try #require(RateLimits(perMinute: 1, perHour: nil))
        var generator = SplitMix64(seed: 1)
        var table = RateLimitTable(maximumKeys: 1_000_000, seed: 7)
        for number in 0..<20_000 { _ = use(&table, generator.uuid(), limits, at: Int64(number) * 60 * Self.second) }
        #expect(table.capacity == 8)
    }

    // Attack: a tenant uses very many keys, so that the table forgets that another key has used up its limit.
    @Test func `at the bound the keys that wait longest keep their usage`() throws {
        let limits = try #require(RateLimits(perMinute: 10, perHour: nil))
        var generator = SplitMix64(seed: 3)
        var table = RateLimitTable(maximumKeys: 64, seed: 7)
        let exhausted = (0..<4).map { _ in generator.uuid() }
        for key in exhausted {
            for _ in 0..<10 { #expect(use(&table, key, limits, at: 0)?.isAllowed == true) }
        }
        for _ in 0..<10_000 { _ = use(&table, generator.uuid(), limits, at: 0) }
        for key in exhausted { #expect(use(&table, key, limits, at: 0)?.isAllowed == false) }
    }
}
