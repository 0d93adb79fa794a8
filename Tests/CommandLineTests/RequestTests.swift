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
    /// An id, which is sent without a look-up.
    private static let id = Sample.id
    private static let other = "0198c0de-0000-7000-8000-000000000002"

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
            "org update o --expiry-notice-days 14 --expiry-notice-days 3 --unused-after-days 0",
            "PATCH /v1/organizations/o",
            #"{"expiry_notice_days":[14,3],"unused_after_days":0}"#
        ),
        Translation(
            "org update o --clear-expiry-notice-days --clear-unused-after-days",
            "PATCH /v1/organizations/o",
            #"{"expiry_notice_days":null,"unused_after_days":null}"#
        ),
        Translation(
            "org update o --leak-action quarantine",
            "PATCH /v1/organizations/o",
            #"{"leak_action":"quarantine"}"#
        ),
        Translation("org update o --clear-leak-action", "PATCH /v1/organizations/o", #"{"leak_action":null}"#),
        Translation(
            "workspace create W --organization o --cluster c",
            "POST /v1/organizations/o/workspaces",
            #"{"name":"W","cluster":"c"}"#
        ),
        Translation(
            "ws list --organization \(id) --state active",
            "GET /v1/workspaces?organization_id=\(id)&state=active&limit=50"
        ),
        Translation("workspace get w", "GET /v1/workspaces/w"),
        Translation("workspace update w --clear-name --slug s", "PATCH /v1/workspaces/w", #"{"name":null,"slug":"s"}"#),
        Translation("workspace suspend w", "POST /v1/workspaces/w/suspend"),
        Translation("workspace resume w", "POST /v1/workspaces/w/resume"),
        Translation("workspace archive w --yes", "POST /v1/workspaces/w/archive"),
        Translation("workspace delete w --yes", "DELETE /v1/workspaces/w"),
        Translation("workspace events w --actor system --limit 2", "GET /v1/workspaces/w/events?actor=system&limit=2"),
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
        Translation(
            "key list --workspace w --unused-since 2026-01-01T00:00:00Z --expires-before 2026-02-01T00:00:00Z --sort -last_used_at",
            "GET \(keys)?unused_since=2026-01-01T00%3A00%3A00Z&expires_before=2026-02-01T00%3A00%3A00Z&sort=-last_used_at&limit=50"
        ),
        Translation("key list --operator --sort=-name", "GET /v1/operator-keys?sort=-name&limit=50"),
        Translation("key get \(id) --workspace w", "GET \(keys)/\(id)"),
        Translation(
            "key update \(id) --workspace w --name m --clear expires-at --clear allowed-ips",
            "PATCH \(keys)/\(id)",
            #"{"name":"m","allowed_ips":null,"expires_at":null}"#
        ),
        Translation("key disable \(id) --workspace w", "POST \(keys)/\(id)/disable"),
        Translation("key enable \(id) --organization o", "POST /v1/organizations/o/admin-keys/\(id)/enable"),
        Translation(
            "key deprecate \(id) --workspace w --grace 7d --reason old",
            "POST \(keys)/\(id)/deprecate",
            #"{"reason":"old","grace_period_seconds":604800}"#
        ),
        Translation(
            "key rotate \(id) --workspace w --grace 0",
            "POST \(keys)/\(id)/rotate",
            #"{"grace_period_seconds":0}"#
        ),
        Translation("key revoke \(id) --operator --yes", "POST /v1/operator-keys/\(id)/revoke", "{}"),
        Translation(
            "key revoke \(id) \(other) --workspace w --reason r --yes",
            "POST \(keys)/batch/revoke",
            #"{"ids":["\#(id)","\#(other)"],"reason":"r"}"#
        ),
        Translation(
            "key disable \(id) \(other) \(id) --organization o",
            "POST /v1/organizations/o/admin-keys/batch/disable",
            #"{"ids":["\#(id)","\#(other)"]}"#
        ),
        Translation("key delete \(id) --workspace w --yes", "DELETE \(keys)/\(id)"),
        Translation(
            "key events \(id) --workspace w --type revoked --since 2026-01-01T00:00:00Z --until 2026-02-01T00:00:00.5Z --cursor c",
            "GET \(keys)/\(id)/events?type=revoked&since=2026-01-01T00%3A00%3A00Z&until=2026-02-01T00%3A00%3A00.500000Z&limit=50&cursor=c"
        ),
        Translation(
            "member list --organization o --workspace \(id) --role owner --query a",
            "GET /v1/organizations/o/members?workspace_id=\(id)&role=owner&query=a&limit=50"
        ),
        Translation(
            "member add a@example.com --organization o --role admin --workspace \(id) --name A",
            "POST /v1/organizations/o/members",
            #"{"email":"a@example.com","role":"admin","workspace_id":"\#(id)","name":"A"}"#
        ),
        Translation(
            "member change \(id) --organization o --role auditor --clear-name",
            "PATCH /v1/organizations/o/members/\(id)",
            #"{"role":"auditor","name":null}"#
        ),
        Translation("member remove \(id) --organization o --yes", "DELETE /v1/organizations/o/members/\(id)"),
        Translation(
            "workspace update w --member-scope a:b --member-scope c:d",
            "PATCH /v1/workspaces/w",
            #"{"member_scopes":["a:b","c:d"]}"#
        ),
        Translation("workspace update w --clear-member-scopes", "PATCH /v1/workspaces/w", #"{"member_scopes":null}"#),
        Translation("organization list --query a", "GET /v1/organizations?query=a&limit=50"),
        Translation(
            "organization events o --type member.added",
            "GET /v1/organizations/o/events?type=member.added&limit=50"
        ),
        Translation(
            "key retire u --workspace w --client-keys revoke --yes",
            "POST /v1/workspaces/w/retire-subject",
            #"{"subject":"u","client_keys":"revoke"}"#
        ),
        Translation(
            "member remove \(id) --organization o --client-keys keep --yes",
            "DELETE /v1/organizations/o/members/\(id)?client_keys=keep"
        ),
        Translation("member sessions \(id) --organization o", "GET /v1/organizations/o/members/\(id)/sessions"),
        Translation("session list", "GET /v1/me/sessions"),
        Translation("session end s", "DELETE /v1/me/sessions/s"),
        Translation("session end --others", "DELETE /v1/me/sessions"),
        // An id in upper case, as some tools print it, is the same id.
        Translation("key get 0198C0DE-0000-7000-8000-000000000001 --workspace w", "GET \(keys)/\(id)"),
        // The attack: a name leaves its segment of the path.
        Translation("workspace get w?x#y%2F", "GET /v1/workspaces/w%3Fx%23y%252F"),
    ]

    // The attack: the name of a key leaves its segment of the path.
    @Test(arguments: ["../../../operator-keys", ".."])
    func `a name of a key is a query, and never a part of a path`(_ name: String) async throws {
        try await ScriptedServer.with(Sample.success) { server in
            let outcome = try await Program.call("key", "get", name, "--workspace", "w", at: server)
            #expect(outcome.code == 1 && outcome.errors.contains("There is no service key"))
            let encoded = name.replacing("/", with: "%2F")
            #expect(
                server.requests.first?.uri == "\(Self.keys)?query=\(encoded == ".." ? "%2E%2E" : encoded)&limit=100"
            )
            #expect(server.requests.allSatisfy { $0.uri.hasPrefix("\(Self.keys)?") })
        }
    }

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
