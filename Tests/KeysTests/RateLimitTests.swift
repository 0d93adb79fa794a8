import Keys
import TestSupport
import Testing

@Suite struct RateLimitTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `the whole limit is available at once, and then one use for each part of the period`() throws {
        let limits = try #require(RateLimits(perMinute: 3, perHour: nil))
        var usage = RateLimits.Usage()
        let start = 5 * Self.second
        for remaining in [2, 1, 0] {
            let verdict = try #require(limits.use(&usage, at: start))
            #expect(
                verdict.isAllowed && verdict.remaining == remaining && verdict.limit == 3 && verdict.retryAfter == .zero
            )
        }
        let refused = try #require(limits.use(&usage, at: start))
        #expect(!refused.isAllowed && refused.remaining == 0)
        #expect(refused.retryAfter == .seconds(20) && refused.resetAfter == .seconds(60))
        #expect(limits.use(&usage, at: start + 20 * Self.second - 1)?.isAllowed == false)
        #expect(limits.use(&usage, at: start + 20 * Self.second)?.isAllowed == true)
        #expect(limits.use(&usage, at: start + 20 * Self.second)?.isAllowed == false)
    }

    // A client that keeps asking while it is refused must not wait longer for it, and must not use up the other limit.
    @Test func `a refused use counts nowhere`() throws {
        let limits = try #require(RateLimits(perMinute: 1, perHour: 3))
        var usage = RateLimits.Usage()
        #expect(limits.use(&usage, at: 0)?.isAllowed == true)
        let kept = usage
        for _ in 0..<100 { #expect(limits.use(&usage, at: 1)?.isAllowed == false) }
        #expect(usage == kept)
        #expect(limits.use(&usage, at: 60 * Self.second)?.isAllowed == true)
        #expect(limits.use(&usage, at: 120 * Self.second)?.isAllowed == true)
        let byHour = try #require(limits.use(&usage, at: 180 * Self.second))
        #expect(!byHour.isAllowed && byHour.limit == 3 && byHour.period == .seconds(3_600))
        #expect(byHour.retryAfter == .seconds(1_020))
    }

    @Test func `no interval has more uses than the limit and the uses that became available in it`() throws {
        try forEachSeed(300) { seed, generator in
            let limit = generator.pick([1, 2, 7, 60, 999, Int(Int32.max)])
            let gcra = try #require(
                GCRA(limit: limit, period: generator.pick([.seconds(60), .seconds(3_600), .microseconds(1)]))
            )
            let period = gcra.period.wholeNanoseconds
            var (arrival, clock, times) = (Int64(0), Int64(1_000), [Int64]())
            for _ in 0..<200 {
                clock += Int64.random(in: 0...max(1, period / Int64(limit)), using: &generator)
                let decision = gcra.decide(arrival: arrival, now: clock)
                if decision.isAllowed {
                    times.append(clock)
                } else {
                    #expect(decision.newArrival == arrival, "seed \(seed)")
                }
                if !decision.isAllowed {
                    let wait = decision.retryAfter.wholeNanoseconds
                    #expect(wait > 0 && gcra.decide(arrival: arrival, now: clock + wait).isAllowed, "seed \(seed)")
                    #expect(!gcra.decide(arrival: arrival, now: clock + wait - 1).isAllowed, "seed \(seed)")
                }
                arrival = decision.newArrival
            }
            for first in times.indices {
                for last in times.indices[first...] {
                    let stretch = Double(times[last] - times[first])
                    let most = Double(limit) + stretch * Double(limit) / Double(period)
                    #expect(Double(last - first + 1) <= most + 1e-6, "seed \(seed)")
                }
            }
        }
    }

    @Test func `a change of limits refills no limit`() throws {
        let hundred = try #require(RateLimits(perMinute: 100, perHour: nil))
        let ten = try #require(RateLimits(perMinute: 10, perHour: 1_000))
        var usage = RateLimits.Usage()
        for _ in 0..<100 { #expect(hundred.use(&usage, at: 0)?.isAllowed == true) }
        #expect(ten.use(&usage, at: 0)?.isAllowed == false)
        #expect(RateLimits.unlimited.use(&usage, at: 0) == nil)
        #expect(hundred.use(&usage, at: 0)?.isAllowed == false)
        #expect(!usage.isReplenished(at: 59 * Self.second) && usage.isReplenished(at: 60 * Self.second))
    }

    @Test func `limits out of range are refused`() {
        for limit in [0, -1, Int(Int32.max) + 1, .min, .max] {
            #expect(
                RateLimits(perMinute: limit, perHour: nil) == nil && RateLimits(perMinute: 1, perHour: limit) == nil
            )
        }
        #expect(RateLimits(perMinute: nil, perHour: nil) == .unlimited && RateLimits.unlimited.isUnlimited)
        #expect(RateLimits(perMinute: 1, perHour: 2).map { [$0.perMinute, $0.perHour] } == [1, 2])
    }
}
