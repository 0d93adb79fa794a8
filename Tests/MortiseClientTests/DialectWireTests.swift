import FoundationEssentials
import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// The requests and responses of the managers of the three dialects, field by field.
@Suite(.hangLimit) struct DialectWireTests {
    private static let end = Date(timeIntervalSince1970: 1_896_093_296)
    private static let clientKeys = "/api/v1/client-keys"
    private static let serviceKeys = "/api/v1/admin/service-keys"

    static let fluxbase = [
        WireCase(
            "POST \(clientKeys)",
            #"{"name":"n","description":"d","scopes":["a:b"],"rate_limit_per_minute":5,"expires_at":"2030-01-31T12:34:56Z"}"#,
            answer: #"{"client_key":\#(Sample.clientKey),"api_key":\#(Sample.clientKey),"key":"mkc_live_secret"}"#
        ) {
            let created = try await $0.management.clientKeys.create(
                name: "n",
                description: "d",
                scopes: ["a:b"],
                rateLimitPerMinute: 5,
                expiresAt: end
            )
            return created.key.reveal() == "mkc_live_secret" && created.clientKey.keyPrefix == "mkc_live_ZZZ"
        },
        WireCase("GET \(clientKeys)", answer: #"{"client_keys":[\#(Sample.clientKey)],"total":7}"#) {
            let list = try await $0.management.clientKeys.list()
            return list.total == 7 && list.clientKeys.first?.userID == "u" && list.apiKeys.first?.expiresAt == nil
        },
        WireCase("GET /api/v1/api-keys/k", answer: Sample.clientKey) {
            try await $0.management.apiKeys.get("k").rateLimitPerMinute == 100
        },
        WireCase("PATCH \(clientKeys)/k", #"{"name":"m","rate_limit_per_minute":9}"#, answer: Sample.clientKey) {
            try await $0.management.clientKeys.update("k", name: "m", rateLimitPerMinute: 9).name == "n"
        },
        WireCase("POST /api/v1/api-keys/k/revoke", "{}", answer: #"{"success":true,"message":"m"}"#) {
            try await $0.management.apiKeys.revoke("k")
            return true
        },
        WireCase("DELETE \(clientKeys)/k", answer: #"{"success":true,"message":"m"}"#) {
            try await $0.management.clientKeys.delete("k")
            return true
        },
        WireCase("GET \(serviceKeys)", answer: "[\(Sample.serviceKey)]") {
            try await $0.admin.serviceKeys.list().map(\.isEnabled) == [true]
        },
        WireCase("GET \(serviceKeys)/k", answer: Sample.serviceKey) {
            try await $0.admin.serviceKeys.get("k").keyType == .service
        },
        WireCase(
            "POST \(serviceKeys)",
            #"{"name":"n","key_type":"anon","scopes":["*"],"rate_limit_per_hour":3}"#,
            answer: Sample.serviceKey
        ) {
            let created = try await $0.admin.serviceKeys.create(
                name: "n",
                keyType: .anon,
                scopes: ["*"],
                rateLimitPerHour: 3
            )
            return created.key.reveal() == "mks_live_secret" && created.serviceKey.name == "n"
        },
        WireCase("PUT \(serviceKeys)/k", #"{"scopes":[],"enabled":false}"#, answer: Sample.serviceKey) {
            try await $0.admin.serviceKeys.update("k", scopes: [], isEnabled: false).id == Sample.id
        },
        WireCase("DELETE \(serviceKeys)/k") {
            try await $0.admin.serviceKeys.delete("k")
            return true
        },
        WireCase("POST \(serviceKeys)/k/disable", "{}") {
            try await $0.admin.serviceKeys.disable("k")
            return true
        },
        WireCase("POST \(serviceKeys)/k/enable", "{}", answer: #"{"success":true,"message":"m"}"#) {
            try await $0.admin.serviceKeys.enable("k")
            return true
        },
        WireCase("POST \(serviceKeys)/k/revoke", #"{"reason":"leaked"}"#) {
            try await $0.admin.serviceKeys.revoke("k", reason: "leaked")
            return true
        },
        WireCase(
            "POST \(serviceKeys)/k/deprecate",
            #"{"reason":"r","grace_period_hours":48}"#,
            answer: #"{"deprecated_at":"2030-01-31T12:34:56Z","grace_period_ends_at":"2030-02-02T12:34:56Z"}"#
        ) {
            let answer = try await $0.admin.serviceKeys.deprecate("k", reason: "r", gracePeriodHours: 48)
            return answer.deprecatedAt == end && answer.gracePeriodEndsAt.timeIntervalSince(end) == 172_800
        },
        WireCase("POST \(serviceKeys)/k/rotate", "{}", answer: Sample.serviceKey) {
            let rotated = try await $0.admin.serviceKeys.rotate("k")
            return rotated.key.reveal() == "mks_live_secret" && rotated.serviceKey.deprecatedAt != nil
        },
        WireCase(
            "GET \(serviceKeys)/k/revocations",
            answer: #"{"id":"k","name":"n","revoked_at":"","revoked_by":"","revocation_reason":""}"#
        ) {
            let history = try await $0.admin.serviceKeys.getRevocationHistory("k")
            return history.revokedAt == nil && history.revocationReason.isEmpty
        },
    ]

    static let others = [
        WireCase(
            "GET /clerk/api_keys?subject=user_1&query=a%2Cb&limit=20&offset=40",
            answer: #"{"data":[\#(Sample.clerkKey)],"total_count":41}"#
        ) {
            let page = try await $0.apiKeys.getAll(subject: "user_1", query: "a,b", initialPage: 3, pageSize: 20)
            let claims: JSONContent = ["a": [1.5]]
            return page.totalCount == 41 && page.data.first?.claims == claims
                && page.data.first?.expiration == Date(timeIntervalSince1970: 1_896_093_296.789)
        },
        WireCase("GET /clerk/api_keys?limit=10&offset=0", answer: #"{"data":[],"total_count":0}"#) {
            try await $0.apiKeys.getAll(initialPage: -5).data.isEmpty
        },
        WireCase(
            "POST /clerk/api_keys",
            #"{"type":"api_key","name":"n","description":"d","seconds_until_expiration":90.5}"#,
            answer: Sample.clerkKey
        ) {
            let key = try await $0.apiKeys.create(name: "n", secondsUntilExpiration: 90.5, description: "d")
            return key.secret?.reveal() == "ak_secret"
        },
        WireCase(
            "POST /clerk/workspaces/w/api_keys/ak_1/revoke",
            #"{"revocation_reason":"r"}"#,
            answer: Sample.clerkKey
        ) { try await !$0.forWorkspace("w").apiKeys.revoke(apiKeyID: "ak_1", revocationReason: "r").isRevoked },
        WireCase(
            "POST /compute/v1/admin/api-keys",
            #"{"name":"x","allowed_ips":["::1"],"expires_in_days":30,"mode":"test","workspace_id":"ws_1"}"#,
            answer: #"{"key":"mks_test_secret","key_details":\#(Sample.boltzKey("api_key_1"))}"#
        ) {
            let created = try await $0.admin.apiKeys.create(
                name: "x",
                allowedIPs: ["::1"],
                expiresInDays: 30,
                mode: .test,
                workspaceID: "ws_1"
            )
            return created.key.reveal() == "mks_test_secret" && created.keyDetails.workspaceID == "ws_1"
        },
        WireCase("POST /compute/v1/admin/api-keys/api_key_1/revoke", answer: Sample.boltzKey("api_key_1")) {
            try await $0.admin.apiKeys.revoke("api_key_1").keyType == .workspace
        },
    ]

    @Test(arguments: fluxbase + others)
    func `a call sends its request and reads its response`(_ wire: WireCase) async throws {
        try await wire.check()
    }

    @Test func `the workspace is in the header of Fluxbase's requests and in no other request`() async throws {
        try await Mortise.with({ _ in .json("[]") }) { client, server, _ async throws in
            let shop = client.forWorkspace("shop")
            _ = try await shop.admin.serviceKeys.list()
            _ = try? await shop.admin.apiKeys.list().firstPage()
            #expect(server.requests.map { $0.header("x-fb-tenant") } == [["shop"], []])
        }
    }

    // Failure: JSON has no infinity, the member is left out, and the key never expires.
    @Test(arguments: [Double.nan, .infinity])
    func `an expiry that is not a number creates no key`(_ seconds: Double) async throws {
        try await Mortise.with({ _ in .json(Sample.clerkKey) }) { client, server, _ async throws in
            await #expect(throws: MortiseError.self) {
                try await client.apiKeys.create(name: "key", secondsUntilExpiration: seconds)
            }
            #expect(server.requests.isEmpty)
        }
    }
}
