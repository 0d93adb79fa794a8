import Keys
import TestSupport
import Testing

@Suite struct LifecycleTests {
    @Test func `a grace period is 0 to 30 days, and 24 hours by default`() {
        #expect(GracePeriod.default.seconds == 86_400 && GracePeriod.none.seconds == 0)
        #expect(GracePeriod(seconds: 0) == GracePeriod.none && GracePeriod(seconds: 2_592_000)?.seconds == 2_592_000)
        #expect(GracePeriod(seconds: -1) == nil && GracePeriod(seconds: 2_592_001) == nil)
    }

    @Test func `a grace period of 0 is a change of state and not an instant`() throws {
        let end = try RotationRule.endOfReplacedSecret(SecretLifetime(), of: KeyLifecycle(), grace: .none, at: now)
        #expect(end == .atOnce)
        #expect(
            try RotationRule.endOfDeprecatedKey(KeyLifecycle(), grace: .default, at: now) == .at(now + .seconds(86_400))
        )
    }

    // Attack: a secret that has an end is kept alive by one rotation after another, each with the longest grace period.
    @Test func `a rotation never makes a life longer`() throws {
        try forEachSeed(20_000) { seed, generator in
            var life = generator.lifecycle()
            life.revokedAt = nil
            let secret = SecretLifetime(
                endsAt: generator.chance(2) ? generator.instant() : nil,
                isEnded: generator.chance(8)
            )
            let grace = try #require(GracePeriod(seconds: generator.pick([0, 1, 2, 3, 2_592_000])))
            var replaced = secret
            switch try RotationRule.endOfReplacedSecret(secret, of: life, grace: grace, at: now) {
            case .atOnce: replaced.isEnded = true
            case .at(let end): replaced.endsAt = end
            }
            for seconds in [-3, -2, -1, 0, 1, 2, 3, 4] {
                let instant = now + .seconds(seconds)
                let worked = !secret.hasEnded(at: instant) && !life.hasEnded(at: instant)
                let works = !replaced.hasEnded(at: instant) && !life.hasEnded(at: instant)
                #expect(!works || worked, "seed \(seed), after \(seconds) s")
                if seconds >= 0, worked {
                    #expect(works == (seconds < grace.seconds), "seed \(seed), after \(seconds) s")
                }
            }
        }
    }

    @Test func `a revoked key is neither rotated nor deprecated`() {
        let revoked = KeyLifecycle(revokedAt: now)
        #expect(throws: RotationFault.revoked) {
            try RotationRule.endOfReplacedSecret(SecretLifetime(), of: revoked, grace: .default, at: now)
        }
        #expect(throws: RotationFault.revoked) { try RotationRule.endOfDeprecatedKey(revoked, grace: .none, at: now) }
    }
}
