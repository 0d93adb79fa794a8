import FoundationEssentials
import JSON
import KeyStore
import Keys
import Logging
import Verification

/// The values that the steps work on.
struct Samples {
    let now = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_123_000)
    let token: Token
    let text: String
    let peppers: PepperRing
    let key: KeyState
    let request = VerificationRequest()
    let kind = "service"
    let mode = "live"
    let permissions = PermissionSet.organization.names
    let scopes = ["read:orders", "write:*"]
    let address = "192.0.2.255"
    let range = "198.51.100.0/24"
    let limits: RateLimits
    let limiter = UseLimiter()
    let usage = UsageRecorder(logger: Logger(label: "key-cost")) { _, _ in }
    let body: [UInt8]

    init() {
        var generator = Counter()
        let ref = WorkspaceRef.random(using: &generator)
        token = Token.make(prefix: .service, mode: .live, workspace: ref, using: &generator)
        text = token.reveal()
        guard
            let id = SecretID("p1"),
            let pepper = Pepper(id: id, bytes: [UInt8](repeating: 7, count: 32)),
            let peppers = PepperRing(current: pepper),
            let limits = RateLimits(perMinute: 1_000_000, perHour: nil)
        else { preconditionFailure("the samples are valid") }
        self.peppers = peppers
        self.limits = limits
        key = KeyState(
            keyID: UUIDv7.make(at: now, using: &generator),
            secretID: UUIDv7.make(at: now, using: &generator),
            workspaceRef: ref,
            workspaceIsActive: true,
            kind: .service,
            mode: .live,
            scopes: ScopeSet(freeForm: scopes)
        )
        body = Array("{\"token\":\"\(text)\",\"scopes\":[\"read:orders\"],\"address\":\"192.0.2.255\"}".utf8)
    }

    /// True if the names of the kind and the mode are read as those of a live service key.
    var hasExpectedNames: Bool { KeyKind(rawValue: kind) == .service && KeyMode(rawValue: mode) == .live }

    /// Writes a verdict as the native API does, and returns its length.
    func verdict() -> Int {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.key("valid")
        writer.value(true)
        writer.key("code")
        writer.value(VerdictCode.valid.rawValue)
        writer.key("key")
        writer.beginObject()
        writer.key("id")
        writer.value(UUIDv7.text(of: key.keyID))
        writer.key("kind")
        writer.value(key.kind.rawValue)
        writer.key("workspace_id")
        writer.value(UUIDv7.text(of: key.secretID))
        writer.key("organization_id")
        writer.value(UUIDv7.text(of: key.keyID))
        writer.key("name")
        writer.value("a key of some service")
        writer.key("subject")
        writer.null()
        writer.key("scopes")
        writer.beginArray()
        for scope in key.scopes.scopes { writer.value(scope.text) }
        writer.endArray()
        writer.key("mode")
        writer.value(key.mode.rawValue)
        writer.key("expires_at")
        writer.value(now.rfc3339)
        writer.key("metadata")
        writer.value(rawJSON: "{\"team\":\"payments\"}".utf8)
        writer.endObject()
        writer.key("rate_limit")
        writer.null()
        writer.endObject()
        return writer.bytes.count
    }
}

/// A row of numbers that is the same in every run.
struct Counter: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
