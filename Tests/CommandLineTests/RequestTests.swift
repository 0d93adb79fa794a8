import HTTPTestSupport
import TestSupport
import Testing

/// A command line and the request that it must send.
struct Translation: Sendable, CustomTestStringConvertible {
    let command: [String]
    let request: String
    let body: String

    init(_ command: String, _ request: String, _ body: String = "") {
        self.command = command.split(separator: " ").map(String.init)
        self.request = request
        self.body = body
    }

    var testDescription: String { command.joined(separator: " ") }
}

@Suite(.hangLimit) struct RequestTests {
    static let keys = "/v1/workspaces/w/service-keys"

    static let translations = [
        Translation(
            "organization create Acme --slug a --token-prefix ac",
            "POST /v1/organizations",
            #"{"name":"Acme","slug":"a","token_prefix":"ac"}"#
        ),
        Translation("organization list", "GET /v1/organizations?limit=50"),
        Translation("org get o", "GET /v1/organizations/o"),
        Translation(
            "org update o --name n --slug s --clear-token-prefix",
            "PATCH /v1/organizations/o",
            #"{"name":"n","slug":"s","token_prefix":null}"#
        ),
        Translation("org update o --token-prefix ac", "PATCH /v1/organizations/o", #"{"token_prefix":"ac"}"#),
        Translation(
            "workspace create W --organization o --cluster c",
            "POST /v1/organizations/o/workspaces",
            #"{"name":"W","cluster":"c"}"#
        ),
        Translation(
            "ws list --organization o --state active",
            "GET /v1/workspaces?organization_id=o&state=active&limit=50"
        ),
        Translation("workspace get w", "GET /v1/workspaces/w"),
        Translation("workspace update w --clear-name --slug s", "PATCH /v1/workspaces/w", #"{"name":null,"slug":"s"}"#),
        Translation("workspace suspend w", "POST /v1/workspaces/w/suspend"),
        Translation("workspace resume w", "POST /v1/workspaces/w/resume"),
        Translation("workspace archive w --yes", "POST /v1/workspaces/w/archive"),
        Translation("workspace delete w --yes", "DELETE /v1/workspaces/w"),
        Translation("workspace events w --actor a --limit 2", "GET /v1/workspaces/w/events?actor=a&limit=2"),
        Translation("key create n --workspace w", "POST \(keys)", #"{"name":"n"}"#),
        Translation(
            "key create n --workspace w --type anon --mode test --description d --scope a:b --scope c:* --namespace x "
                + "--allow-ip 10.0.0.0/8 --rate-limit-per-minute 6 --rate-limit-per-hour 7 --expires-at 2030-01-31T12:00:00+02:00 --metadata {\"a\":[1]}",
            "POST \(keys)",
            #"{"name":"n","type":"anon","mode":"test","description":"d","scopes":["a:b","c:*"],"allowed_namespaces":["x"],"#
                + #""allowed_ips":["10.0.0.0/8"],"rate_limit_per_minute":6,"rate_limit_per_hour":7,"expires_at":"2030-01-31T10:00:00Z","metadata":{"a":[1]}}"#
        ),
        Translation(
            "key create n --workspace w --client --subject u",
            "POST /v1/workspaces/w/client-keys",
            #"{"name":"n","subject":"u"}"#
        ),
        Translation(
            "key create n --organization o --permission keys:read",
            "POST /v1/organizations/o/admin-keys",
            #"{"name":"n","permissions":["keys:read"]}"#
        ),
        Translation(
            "key create n --operator --default-namespace-only",
            "POST /v1/operator-keys",
            #"{"name":"n","allowed_namespaces":[]}"#
        ),
        Translation(
            "key list --workspace w --client --subject u",
            "GET /v1/workspaces/w/client-keys?subject=u&limit=50"
        ),
        Translation("key get k --workspace w", "GET \(keys)/k"),
        Translation(
            "key update k --workspace w --name m --clear expires-at --clear allowed-ips",
            "PATCH \(keys)/k",
            #"{"name":"m","allowed_ips":null,"expires_at":null}"#
        ),
        Translation("key disable k --workspace w", "POST \(keys)/k/disable"),
        Translation("key enable k --organization o", "POST /v1/organizations/o/admin-keys/k/enable"),
        Translation(
            "key deprecate k --workspace w --grace 7d --reason old",
            "POST \(keys)/k/deprecate",
            #"{"reason":"old","grace_period_seconds":604800}"#
        ),
        Translation("key rotate k --workspace w --grace 0", "POST \(keys)/k/rotate", #"{"grace_period_seconds":0}"#),
        Translation("key revoke k --operator --yes", "POST /v1/operator-keys/k/revoke", "{}"),
        Translation("key delete k --workspace w --yes", "DELETE \(keys)/k"),
        Translation(
            "key events k --workspace w --type revoked --since 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00.5Z --cursor c",
            "GET \(keys)/k/events?type=revoked&since=2026-01-01T00%3A00%3A00Z&until=2026-02-01T00%3A00%3A00.500000Z&limit=50&cursor=c"
        ),
        Translation(
            "member list --organization o --workspace w --role owner --query a",
            "GET /v1/organizations/o/members?workspace_id=w&role=owner&query=a&limit=50"
        ),
        Translation(
            "member add a@example.com --organization o --role admin --workspace w --name A",
            "POST /v1/organizations/o/members",
            #"{"email":"a@example.com","role":"admin","workspace_id":"w","name":"A"}"#
        ),
        Translation(
            "member change m --organization o --role auditor --clear-name",
            "PATCH /v1/organizations/o/members/m",
            #"{"role":"auditor","name":null}"#
        ),
        Translation("member remove m --organization o --yes", "DELETE /v1/organizations/o/members/m"),
        // The attack: an id leaves its segment of the path.
        Translation("key get ../../../operator-keys --workspace w", "GET \(keys)/..%2F..%2F..%2Foperator-keys"),
        Translation("key get .. --workspace w", "GET \(keys)/%2E%2E"),
        Translation("workspace get w?x#y%2F", "GET /v1/workspaces/w%3Fx%23y%252F"),
    ]

    @Test(arguments: translations)
    func `a command line sends exactly its request`(_ translation: Translation) async throws {
        try await ScriptedServer.with(Sample.success) { server in
            let verb = translation.command[1]
            let makesToken = ["create", "rotate"].contains(verb) && translation.command[0] != "workspace"
            let outcome = try await Program.run(
                translation.command + (makesToken ? ["--show-token"] : []),
                server: server,
                environment: ["MORTISE_TOKEN": "t"]
            )
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(server.requests.map { "\($0.method) \($0.uri)" } == [translation.request])
            #expect(server.requests.map(\.body) == [translation.body])
            let makesSomething = ["create", "rotate", "add"].contains(verb)
            #expect((server.requests.first?.header("idempotency-key").isEmpty == false) == makesSomething)
        }
    }
}
