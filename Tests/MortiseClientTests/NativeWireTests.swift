import FoundationEssentials
import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

/// The requests and responses of the native API.
@Suite(.hangLimit) struct NativeWireTests {
    private static let keys = "/v1/workspaces/w/service-keys"
    private static let issuers = "/v1/organizations/o/session-issuers"

    static let cases = [
        WireCase(
            "POST \(keys)",
            #"{"name":"n","type":"anon","mode":"test","description":"d","scopes":["a:b"],"allowed_namespaces":[],"#
                + #""allowed_ips":["10.0.0.0/8"],"rate_limit_per_minute":6,"rate_limit_per_hour":7,"#
                + #""expires_at":"2030-01-31T12:34:56Z","metadata":{"a":[true,null],"b":1.5}}"#,
            answer: Sample.issuedKey
        ) {
            let draft = Mortise.KeyDraft(
                name: "n",
                type: "anon",
                mode: .test,
                description: "d",
                scopes: ["a:b"],
                allowedNamespaces: [],
                allowedAddresses: ["10.0.0.0/8"],
                rateLimitPerMinute: 6,
                rateLimitPerHour: 7,
                expiresAt: Date(timeIntervalSince1970: 1_896_093_296),
                metadata: ["b": 1.5, "a": [true, nil]]
            )
            let issued = try await $0.keys(.service(workspace: "w")).create(draft)
            return issued.token.reveal() == "mks_live_secret" && issued.key.metadata == ["team": "a", "n": 1]
                && issued.key.expiresAt == Date(timeIntervalSince1970: 1_896_093_296.789)
                && issued.key.secrets.count == 1
        },
        WireCase("POST /v1/workspaces/w/client-keys", #"{"name":"n","subject":"u"}"#, answer: Sample.issuedKey) {
            try await $0.keys(.client(workspace: "w")).create(Mortise.KeyDraft(name: "n", subject: "u")).key.name
                == "CI"
        },
        WireCase(
            "PATCH /v1/organizations/o/admin-keys/k",
            #"{"name":"m","permissions":["keys:read"],"expires_at":null,"metadata":{"a":1}}"#,
            answer: Sample.key
        ) {
            var changes = Mortise.KeyChanges()
            changes.name = "m"
            changes.permissions = .set(["keys:read"])
            changes.expiresAt = .clear
            changes.metadata = .set(["a": 1])
            return try await $0.keys(.admin(organization: "o")).update("k", changes).status == .active
        },
        // The server takes no `null` for the scopes, permissions and metadata.
        WireCase(
            "PATCH \(keys)/k",
            #"{"description":null,"scopes":[],"permissions":[],"allowed_namespaces":null,"allowed_ips":null,"#
                + #""rate_limit_per_minute":null,"rate_limit_per_hour":null,"expires_at":null,"metadata":{}}"#,
            answer: Sample.key
        ) {
            var changes = Mortise.KeyChanges()
            changes.description = .clear
            changes.scopes = .clear
            changes.permissions = .clear
            changes.allowedNamespaces = .clear
            changes.allowedAddresses = .clear
            changes.rateLimitPerMinute = .clear
            changes.rateLimitPerHour = .clear
            changes.expiresAt = .clear
            changes.metadata = .clear
            return try await $0.keys(.service(workspace: "w")).update("k", changes).id == Sample.id
        },
        WireCase(
            "GET \(keys)?unused_since=2030-01-31T12%3A34%3A56Z&expires_before=2030-01-31T12%3A34%3A57Z&sort=-last_used_at&limit=2",
            answer: #"{"data":[\#(Sample.key)],"next_cursor":null}"#
        ) {
            let list = $0.keys(.service(workspace: "w"))
                .list(
                    unusedSince: Date(timeIntervalSince1970: 1_896_093_296),
                    expiresBefore: Date(timeIntervalSince1970: 1_896_093_297),
                    sort: .mostRecentlyUsed,
                    limit: 2
                )
            return try await list.all().map(\.name) == ["CI"]
        },
        WireCase("POST \(keys)/k/rotate", #"{"grace_period_seconds":3600}"#, answer: Sample.issuedKey) {
            let keys = $0.keys(.service(workspace: "w"))
            return try await keys.rotate("k", gracePeriod: .seconds(3600)).key.mode == .live
        },
        WireCase("POST \(keys)/k/deprecate", #"{"reason":"r","grace_period_seconds":0}"#, answer: Sample.key) {
            let keys = $0.keys(.service(workspace: "w"))
            return try await keys.deprecate("k", reason: "r", gracePeriod: .zero).rateLimitPerMinute == 60
        },
        WireCase("POST /v1/operator-keys/k/revoke", "{}", answer: Sample.key) {
            try await $0.keys(.operator).revoke("k").allowedAddresses == ["192.0.2.0/24"]
        },
        WireCase(
            "POST \(keys)/batch/revoke",
            #"{"ids":["k","l"],"reason":"r"}"#,
            answer: #"{"data":[\#(Sample.key),\#(Sample.key)]}"#
        ) { try await $0.keys(.service(workspace: "w")).revoke(["k", "l"], reason: "r").map(\.name) == ["CI", "CI"] },
        WireCase(
            "POST /v1/workspaces/w/client-keys/batch/disable",
            #"{"ids":["k"]}"#,
            answer: #"{"data":[\#(Sample.key)]}"#
        ) { try await $0.keys(.client(workspace: "w")).disable(["k"]).count == 1 },
        WireCase("DELETE \(keys)/k") {
            try await $0.keys(.service(workspace: "w")).delete("k")
            return true
        },
        WireCase(
            "POST /v1/verify",
            #"{"token":"t","scopes":["a:b"],"address":"::1","mode":"live","namespace":"eu"}"#,
            answer: Sample.verdict
        ) {
            let verdict = try await $0.verify(
                SecretToken("t"),
                scopes: ["a:b"],
                address: "::1",
                mode: .live,
                namespace: "eu"
            )
            return !verdict.isValid && verdict.code == .rateLimited && verdict.key?.subject == "u"
                && verdict.rateLimit?.remaining == 0
        },
        WireCase(
            "POST /v1/verify/batch",
            #"{"requests":[{"token":"t"}]}"#,
            answer: #"{"verdicts":[\#(Sample.verdict)]}"#
        ) { try await $0.verify([Mortise.Verification(SecretToken("t"))]).count == 1 },
        WireCase("PUT /v1/me/password", #"{"current_password":"old pass","new_password":"new pass"}"#) {
            try await $0.changePassword(current: SecretToken("old pass"), new: SecretToken("new pass"))
            return true
        },
        WireCase(
            "POST \(issuers)",
            #"{"issuer":"https://i.example","jwks_url":"https://i.example/jwks"}"#,
            answer: Sample.issuer
        ) {
            let issuers = $0.sessionIssuers(of: "o")
            let issuer = try await issuers.add(issuer: "https://i.example", keys: .url("https://i.example/jwks"))
            return issuer.jwksURL == "https://i.example/jwks" && issuer.jwksFile == nil && !issuer.hasInlineJWKS
                && issuer.manageRoles == ["admin"] && issuer.createdAt == Date(timeIntervalSince1970: 1_864_557_296)
        },
        WireCase(
            "POST \(issuers)",
            #"{"issuer":"i","jwks":{"keys":[{"kid":"1","kty":"OKP"}]},"algorithms":["EdDSA"],"#
                + #""authorized_parties":["https://a.example"],"read_roles":["r"],"manage_roles":[]}"#,
            answer: Sample.issuer
        ) {
            let issuer = try await $0.sessionIssuers(of: "o")
                .add(
                    issuer: "i",
                    keys: .inline(["keys": [["kty": "OKP", "kid": "1"]]]),
                    algorithms: ["EdDSA"],
                    authorizedParties: ["https://a.example"],
                    readRoles: ["r"],
                    manageRoles: []
                )
            return issuer.algorithms == ["RS256"] && issuer.authorizedParties == ["https://a.example"]
        },
        WireCase("POST \(issuers)", #"{"issuer":"i","jwks_file":"/etc/j"}"#, answer: Sample.issuer) {
            try await $0.sessionIssuers(of: "o").add(issuer: "i", keys: .file("/etc/j")).id == Sample.id
        },
        WireCase("GET \(issuers)?limit=2", answer: #"{"data":[\#(Sample.issuer)],"next_cursor":null}"#) {
            try await $0.sessionIssuers(of: "o").list(limit: 2).all().map(\.readRoles) == [["member"]]
        },
        WireCase("DELETE \(issuers)/i") {
            try await $0.sessionIssuers(of: "o").remove("i")
            return true
        },
        WireCase(
            "GET /v1/workspaces/w/events?type=revoked&since=2030-01-31T12%3A34%3A56Z&limit=2",
            answer: #"{"data":[],"next_cursor":null}"#
        ) {
            let filter = EventFilter(type: "revoked", since: Date(timeIntervalSince1970: 1_896_093_296))
            return try await $0.workspaces.events("w", filter, limit: 2).all().isEmpty
        },
    ]

    @Test(arguments: cases)
    func `a call sends its request and reads its response`(_ wire: WireCase) async throws {
        try await wire.check()
    }

    // Attack: a server that leaves out a verdict moves a valid verdict to another token.
    @Test func `a batch with too few verdicts is an error`() async throws {
        try await Mortise.with({ _ in .json(#"{"verdicts":[]}"#) }) { client, _, _ async throws in
            let error = try await #require(throws: MortiseError.self) {
                try await client.verify([Mortise.Verification(SecretToken("t"))])
            }
            #expect(error.reason == .unexpectedAnswer)
        }
    }
}
