import Keys
import TestSupport
import Testing

@Suite struct DecideTests {
    private let moment = Duration.microseconds(1)

    private func verdict(
        _ request: VerificationRequest = VerificationRequest(),
        _ change: (inout KeyState) -> Void
    ) -> VerdictCode { decide(plainKey(change), request, at: now) }

    @Test func `each refusal has its code`() throws {
        #expect(verdict { _ in } == .valid)
        #expect(decide(nil, VerificationRequest(), at: now) == .notFound)
        #expect(verdict { $0.workspaceIsActive = false } == .workspaceUnavailable)
        #expect(verdict { $0.lifecycle.revokedAt = now } == .revoked)
        #expect(verdict { $0.lifecycle.isEnded = true } == .expired)
        #expect(verdict { $0.secret.isEnded = true } == .expired)
        #expect(verdict { $0.lifecycle.isDisabled = true } == .disabled)
        #expect(verdict { $0.lifecycle.deprecatedAt = now } == .valid)
        #expect(verdict(VerificationRequest(mode: .test)) { _ in } == .wrongMode)
        #expect(verdict(VerificationRequest(namespace: "a")) { $0.namespaces = NamespaceRule([]) } == .wrongNamespace)
        #expect(
            verdict(VerificationRequest(scopes: [.all])) { $0.scopes = ScopeSet(freeForm: ["a:*"]) }
                == .insufficientScope
        )
        let ranges = [try AddressRange("10.0.0.0/8")]
        #expect(verdict { $0.addressRanges = ranges } == .wrongAddress)
        #expect(
            verdict(VerificationRequest(address: IPAddress("11.0.0.1"))) { $0.addressRanges = ranges } == .wrongAddress
        )
        #expect(verdict(VerificationRequest(address: IPAddress("10.9.9.9"))) { $0.addressRanges = ranges } == .valid)
    }

    // An operator key must not be accepted as a tenant's key, whatever its settings are.
    @Test func `admin and operator keys never verify`() {
        for kind in KeyKind.allCases {
            let code = verdict {
                $0.kind = kind; $0.scopes = ScopeSet([.all])
            }
            #expect(code == (kind == .admin || kind == .operator ? .notFound : .valid))
        }
    }

    // Every end is exclusive: a token that is presented at the microsecond of its end is late.
    @Test func `an end is past at its own instant and not a microsecond before`() {
        let ends: [any WritableKeyPath<KeyState, Timestamp?> & Sendable] = [
            \.lifecycle.expiresAt, \.lifecycle.graceEndsAt, \.secret.endsAt,
        ]
        for end in ends {
            #expect(verdict { $0[keyPath: end] = now } == .expired)
            #expect(verdict { $0[keyPath: end] = now - moment } == .expired)
            #expect(verdict { $0[keyPath: end] = now + moment } == .valid)
        }
        #expect(
            plainKey {
                $0.lifecycle.expiresAt = now; $0.secret.endsAt = now - moment
            }
            .endsAt == now - moment
        )
    }

    // A clock that is behind must not make a revoked key work.
    @Test func `a revoked key is refused whatever the clock says`() {
        #expect(verdict { $0.lifecycle.revokedAt = now + .seconds(3_600) } == .revoked)
    }

    @Test func `the first refusal in the fixed order is the verdict`() throws {
        let ranges = [try AddressRange("10.0.0.0/8")]
        let request = VerificationRequest(scopes: [.all], mode: .test, namespace: "a")
        let faults: [(VerdictCode, (inout KeyState) -> Void)] = [
            (.notFound, { $0.kind = .admin }),
            (.workspaceUnavailable, { $0.workspaceIsActive = false }),
            (.revoked, { $0.lifecycle.revokedAt = now }),
            (.expired, { $0.secret.isEnded = true }),
            (.disabled, { $0.lifecycle.isDisabled = true }),
            (.wrongMode, { $0.mode = .live }),
            (.wrongAddress, { $0.addressRanges = ranges }),
            (.wrongNamespace, { $0.namespaces = NamespaceRule([]) }),
            (.insufficientScope, { $0.scopes = ScopeSet([]) }),
        ]
        for first in faults.indices {
            let key = plainKey { key in
                key.mode = .test
                key.scopes = ScopeSet([.all])
                for fault in faults[first...] { fault.1(&key) }
            }
            #expect(decide(key, request, at: now) == faults[first].0)
        }
    }

    // Whatever an admin does to restrict a key, no token that was refused before is accepted after it.
    @Test func `no restriction of a key and no further demand turns a refusal into an acceptance`() {
        var (accepted, refused) = (0, 0)
        forEachSeed(60_000) { seed, generator in
            let (key, request) = (generator.key(), generator.request())
            let before = decide(key, request, at: now)
            if before.isValid { accepted += 1 } else { refused += 1 }
            if before.isValid { return }
            #expect(!decide(generator.restricted(key), request, at: now).isValid, "seed \(seed)")
            #expect(!decide(key, generator.extended(request), at: now).isValid, "seed \(seed)")
            #expect(!decide(key, request, at: now + .seconds(1)).isValid, "seed \(seed): time alone")
        }
        #expect(accepted > 1_000 && refused > 1_000)
    }

    // Here the request does not meet the restriction, so the verdict must be a refusal.
    @Test func `each restriction that a request does not meet refuses it`() throws {
        let outside = try AddressRange("203.0.113.0/24")
        forEachSeed(60_000) { seed, generator in
            let (key, request) = (generator.key(), generator.request())
            guard decide(key, request, at: now).isValid else { return }
            let restrictions: [(inout KeyState) -> Void] = [
                { $0.lifecycle.revokedAt = now }, { $0.lifecycle.expiresAt = now }, { $0.lifecycle.graceEndsAt = now },
                { $0.lifecycle.isEnded = true }, { $0.lifecycle.isDisabled = true }, { $0.secret.endsAt = now },
                { $0.secret.isEnded = true }, { $0.workspaceIsActive = false }, { $0.kind = .operator },
                { $0.addressRanges = [outside] }, { $0.namespaces = NamespaceRule(["elsewhere"]) },
            ]
            for (number, restrict) in restrictions.enumerated() {
                var narrowed = key
                restrict(&narrowed)
                #expect(!decide(narrowed, request, at: now).isValid, "seed \(seed), restriction \(number)")
            }
        }
    }

    @Test func `the status is the first that applies`() {
        var life = KeyLifecycle()
        #expect(life.status(at: now) == .active)
        life.deprecatedAt = now
        #expect(life.status(at: now) == .deprecated)
        life.isDisabled = true
        #expect(life.status(at: now) == .disabled)
        life.graceEndsAt = now
        #expect(life.status(at: now) == .expired)
        life.expiresAt = now + .seconds(60)
        #expect(life.endsAt == now && life.status(at: now) == .expired)
        #expect(life.status(at: now - moment) == .disabled)
        life.revokedAt = now
        #expect(life.status(at: now) == .revoked)
    }
}

extension SplitMix64 {
    /// Returns the key with one more restriction.
    fileprivate mutating func restricted(_ key: KeyState) -> KeyState {
        var key = key
        switch Int.random(in: 0...10, using: &self) {
        case 0: key.lifecycle.revokedAt = instant()
        case 1: key.lifecycle.expiresAt = min(key.lifecycle.expiresAt ?? .latest, instant())
        case 2: key.lifecycle.graceEndsAt = min(key.lifecycle.graceEndsAt ?? .latest, instant())
        case 3: key.lifecycle.isEnded = true
        case 4: key.lifecycle.isDisabled = true
        case 5: key.secret.endsAt = min(key.secret.endsAt ?? .latest, instant())
        case 6: key.secret.isEnded = true
        case 7: key.workspaceIsActive = false
        case 8: key.scopes = ScopeSet(key.scopes.scopes.dropLast())
        case 9:
            // An empty list means any address, so the last range must stay.
            if key.addressRanges.count > 1 { key.addressRanges.removeLast() }
            if key.addressRanges.isEmpty { key.addressRanges = [range()] }
        default:
            guard let allowed = key.namespaces.allowed else {
                key.namespaces = NamespaceRule(chance(2) ? [] : [pick(["default", "a", "b"])])
                break
            }
            if allowed.count > 1 { key.namespaces = NamespaceRule(allowed.dropLast()) }
        }
        return key
    }

    /// Returns the request with one more demand.
    fileprivate mutating func extended(_ request: VerificationRequest) -> VerificationRequest {
        var request = request
        switch Int.random(in: 0...2, using: &self) {
        case 0: request.scopes.append(scope())
        case 1: request.mode = request.mode ?? pick(KeyMode.allCases)
        default: request.address = nil
        }
        return request
    }
}
