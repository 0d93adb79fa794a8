// Decides about a key without a database: the state of the key, the request and the time are values.

import FoundationEssentials
import Keys

var generator = SystemRandomNumberGenerator()
let now = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_000_000)

// snippet.state
var key = KeyState(
    keyID: UUIDv7.make(at: now, using: &generator),
    secretID: UUIDv7.make(at: now, using: &generator),
    workspaceRef: .random(using: &generator),
    workspaceIsActive: true,
    kind: .service,
    mode: .live,
    scopes: ScopeSet(freeForm: ["read:*"]),
    addressRanges: [try AddressRange("192.0.2.0/24")]
)
// snippet.end

// snippet.decide
let request = VerificationRequest(scopes: [try Scope(validating: "read:orders")], address: IPAddress("192.0.2.17"))
print(decide(key, request, at: now))

key.lifecycle.revokedAt = now
print(decide(key, request, at: now))
// snippet.end

// snippet.limit
var usage = RateLimits.Usage()
if let limits = RateLimits(perMinute: 60, perHour: nil), let verdict = limits.use(&usage, at: 0) {
    print(verdict.isAllowed ? "\(verdict.remaining) uses are left" : "try again in \(verdict.retryAfter)")
}
// snippet.end
