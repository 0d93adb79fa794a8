import FoundationEssentials
import Keys
import TestSupport

let now = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_000_000)

extension SplitMix64 {
    mutating func token() -> Token {
        let prefixes = ["m", "ak", "mks", "x9y0", "mko"].compactMap { TokenPrefix($0) }
        let ref = WorkspaceRef.random(using: &self)
        return Token.make(prefix: pick(prefixes), mode: pick(KeyMode.allCases), workspace: ref, using: &self)
    }

    mutating func uuid() -> UUID { UUIDv7.make(at: now, using: &self) }

    mutating func scope() -> Scope {
        Scope(
            freeForm: pick(["*", "read:*", "write:*", "read:a", "read:b", "write:a", "tables", "read:", "read", ":*"])
        )
    }

    mutating func instant() -> Timestamp { now + .seconds(Int.random(in: -2...2, using: &self)) }

    mutating func address() -> IPAddress {
        chance(2)
            ? .v4(0x0A00_0000 | UInt32.random(in: 0...7, using: &self))
            : .v6(0x2001_0DB8 << 96 | UInt128(UInt8.random(in: 0...7, using: &self)))
    }

    mutating func range() -> AddressRange {
        let address = address()
        return AddressRange(containing: address, prefixLength: address.bitWidth - Int.random(in: 0...4, using: &self))
    }

    mutating func lifecycle() -> KeyLifecycle {
        KeyLifecycle(
            revokedAt: chance(8) ? instant() : nil,
            expiresAt: chance(3) ? instant() : nil,
            deprecatedAt: chance(4) ? instant() : nil,
            graceEndsAt: chance(4) ? instant() : nil,
            isEnded: chance(10),
            isDisabled: chance(6)
        )
    }

    mutating func key() -> KeyState {
        let scopes = (0..<Int.random(in: 0...3, using: &self)).map { _ in scope() }
        let namespaces = (0..<Int.random(in: 0...2, using: &self)).map { _ in pick(["default", "a", "b", "*"]) }
        return KeyState(
            keyID: uuid(),
            secretID: uuid(),
            workspaceRef: .random(using: &self),
            workspaceIsActive: !chance(10),
            kind: pick([.service, .anon, .client, .service, .anon, .client, .admin, .operator]),
            mode: pick(KeyMode.allCases),
            lifecycle: lifecycle(),
            secret: SecretLifetime(endsAt: chance(5) ? instant() : nil, isEnded: chance(10)),
            scopes: ScopeSet(chance(2) ? [.all] : scopes),
            namespaces: NamespaceRule(chance(2) ? nil : namespaces),
            addressRanges: chance(2) ? [] : (0..<Int.random(in: 1...3, using: &self)).map { _ in range() }
        )
    }

    mutating func request() -> VerificationRequest {
        VerificationRequest(
            scopes: chance(2) ? [] : (0..<Int.random(in: 1...2, using: &self)).map { _ in scope() },
            address: chance(3) ? nil : address(),
            mode: chance(2) ? nil : pick(KeyMode.allCases),
            namespace: chance(2) ? nil : pick(["default", "a", "b"])
        )
    }
}

/// A key that is valid for the empty request.
func plainKey(_ change: (inout KeyState) -> Void = { _ in }) -> KeyState {
    var generator = SplitMix64(seed: 1)
    var key = KeyState(
        keyID: generator.uuid(),
        secretID: generator.uuid(),
        workspaceRef: .random(using: &generator),
        workspaceIsActive: true,
        kind: .service,
        mode: .live
    )
    change(&key)
    return key
}
