import Endpoints
import JSON
import KeyStore
import Keys
import Verification

/// The JSON of a verdict in the native API.
///
/// Every verification writes one, so it is written straight into bytes, without a tree of values.
struct VerdictJSON: JSONWritable {
    let code: VerdictCode
    let key: VerifiedKey?
    let limit: RateLimitVerdict?

    init(_ verdict: Verdict) {
        code = verdict.code
        key = verdict.key
        limit = verdict.rateLimit
    }

    /// The verdict of a batch item whose workspace is unavailable.
    static let unreachable = VerdictJSON(code: .workspaceUnavailable)

    private init(code: VerdictCode) {
        self.code = code
        key = nil
        limit = nil
    }

    static let keySchema =
        Schema.object([
            .required("id", NativeSchema.id),
            .required("kind", .oneOf("service", "anon", "client")),
            .required("workspace_id", NativeSchema.id),
            .required("organization_id", NativeSchema.id),
            .required("name", NativeSchema.name),
            .required("subject", .string(max: 255).orNull.described("The owner of a client key.")),
            .required("scopes", .array(of: .string(max: 255), max: 1000)),
            .required("mode", .oneOf(KeyMode.allCases.map(\.rawValue))),
            .required("expires_at", NativeSchema.time.orNull),
            .required("metadata", .anyObject(maximumBytes: 65_536)),
        ])
        .named("VerifiedKey")

    static let limitSchema =
        Schema.object([
            .required("limit", .integer(1...Int64(Int32.max))),
            .required("remaining", .integer(0...Int64(Int32.max))),
            .required("reset_at", NativeSchema.time.described("The time at which the limit is fully available again.")),
        ])
        .named("RateLimit")

    static let schema =
        Schema.object([
            .required(
                "valid",
                .boolean.described("True only if the token is accepted. No other member says so.")
            ),
            .required("code", .oneOf(VerdictCode.allCases.map(\.rawValue))),
            .required(
                "key",
                keySchema.orNull.described("Null unless the token is genuine and the caller's organization owns it.")
            ),
            .required(
                "rate_limit",
                limitSchema.orNull.described("The state of the key's tightest limit. Null if the key has none.")
            ),
        ])
        .named("Verdict")

    /// Returns the JSON of a batch of verdicts.
    ///
    /// The metadata of 100 keys can have a megabyte, so other requests of the thread have a turn after every few verdicts.
    static func batch(_ verdicts: [VerdictJSON]) async -> [UInt8] {
        var writer = JSONWriter(capacity: 256 * verdicts.count)
        writer.beginObject()
        writer.key("verdicts")
        writer.beginArray()
        for (index, verdict) in verdicts.enumerated() {
            await Verifier.letOthersRun(before: index)
            verdict.write(to: &writer)
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("valid")
        writer.value(code.isValid)
        writer.key("code")
        writer.value(code.rawValue)
        writer.key("key")
        if let key { write(key, to: &writer) } else { writer.null() }
        writer.key("rate_limit")
        if let limit, let key { write(limit, readAt: key.checkedAt, to: &writer) } else { writer.null() }
        writer.endObject()
    }

    private func write(_ key: VerifiedKey, to writer: inout JSONWriter) {
        let state = key.found.state
        writer.beginObject()
        writer.key("id")
        writer.value(UUIDv7.text(of: state.keyID))
        writer.key("kind")
        writer.value(state.kind.rawValue)
        writer.key("workspace_id")
        writer.value(UUIDv7.text(of: key.workspaceID))
        writer.key("organization_id")
        writer.value(UUIDv7.text(of: key.organizationID))
        writer.key("name")
        writer.value(key.found.name)
        writer.key("subject")
        if let subject = key.found.subject { writer.value(subject) } else { writer.null() }
        writer.key("scopes")
        writer.beginArray()
        for scope in state.scopes.scopes { writer.value(scope.text) }
        writer.endArray()
        writer.key("mode")
        writer.value(state.mode.rawValue)
        writer.key("expires_at")
        if let end = state.lifecycle.expiresAt { writer.value(end.rfc3339) } else { writer.null() }
        writer.key("metadata")
        writer.value(rawJSON: key.found.metadata.utf8)
        writer.endObject()
    }

    private func write(_ limit: RateLimitVerdict, readAt: Timestamp, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("limit")
        writer.value(limit.limit)
        writer.key("remaining")
        writer.value(limit.remaining)
        writer.key("reset_at")
        writer.value((readAt + limit.resetAfter).rfc3339)
        writer.endObject()
    }
}
