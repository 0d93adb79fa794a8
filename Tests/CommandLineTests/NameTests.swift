import HTTPTestSupport
import TestSupport
import Testing

/// Names instead of ids.
@Suite(.hangLimit) struct NameTests {
    private static let other = "0198c0de-0000-7000-8000-000000000002"
    private static let operatorKey = "mko_live_" + String(repeating: "k", count: 46)

    private static func workspace(_ id: String, _ slug: String, of organization: String = "org-1") -> String {
        """
        {"id":"\(id)","organization_id":"\(organization)","ref":"00abcdef","slug":"\(slug)","name":null,"cluster_id":"c-1",\
        "state":"active","is_default":false,"member_scopes":null,"created_at":"2029-01-31T12:34:56Z",\
        "updated_at":"2029-01-31T12:34:56Z","archived_at":null}
        """
    }

    private static func organization(_ id: String, _ slug: String) -> String {
        """
        {"id":"\(id)","name":"\(slug)","slug":"\(slug)","token_prefix":null,"default_workspace_id":null,\
        "created_at":"2029-01-31T12:34:56Z","updated_at":"2029-01-31T12:34:56Z"}
        """
    }

    @Test(arguments: ["CI", "mks_live_ZZZZZZZ", "mks_live_ZZZ", "mks_live_ZZZZZZZabcd"])
    func `a key is named by its name or by the first characters of its token`(_ name: String) async throws {
        try await ScriptedServer.with({ request in
            request.method == "POST"
                ? .json(Sample.key) : Sample.list([Sample.key, Sample.key(Self.other, name: "CI 2")])
        }) { server in
            let name = name.hasPrefix("mks") ? name : "CI"
            let reply = try await Program.call("key", "disable", name, "--workspace", "shop", at: server)
            guard name == "CI" else {
                // Both keys of the sample have the same prefix.
                #expect(reply.code == 64 && reply.errors.contains("means 2 service keys"), "\(reply.errors)")
                #expect(server.requests.allSatisfy { $0.method == "GET" })
                return
            }
            #expect(reply.code == 0, "\(reply.errors)")
            #expect(
                server.requests.map { "\($0.method) \($0.uri)" } == [
                    "GET /v1/workspaces/shop/service-keys?query=CI&limit=100",
                    "POST /v1/workspaces/shop/service-keys/\(Sample.id)/disable",
                ]
            )
            #expect(reply.output.contains("Disabled the key CI (mks_live_ZZZZZZZ)."))
        }
    }

    // The fault: the events of a key stay when it is deleted, and nobody knows its id any more.
    @Test func `the events of a deleted key are found by its name`() async throws {
        let deleted = Sample.event.replacing("rotated", with: "deleted")
        for (events, code) in [([deleted], 0), ([deleted, deleted.replacing("key-1", with: "key-2")], 64), ([], 1)] {
            try await ScriptedServer.with({ request in
                if request.uri.contains("service-keys?") { return Sample.list([]) }
                return request.uri.contains("/key-1/events") ? Sample.list([Sample.event]) : Sample.list(events)
            }) { server in
                let reply = try await Program.call("key", "events", "CI", "--workspace", "shop", at: server)
                #expect(reply.code == code, "\(reply.errors)")
                switch code {
                case 0: #expect(server.requests.contains { $0.uri.contains("/service-keys/key-1/events") })
                case 64: #expect(reply.errors.contains("means 2 deleted keys"), "\(reply.errors)")
                default: #expect(reply.errors.contains("There is no service key \"CI\"."), "\(reply.errors)")
                }
            }
        }
    }

    // The fault: a subject that is mistyped has no keys, and the command says that they are disabled.
    @Test func `keys of a subject that are disabled are counted`() async throws {
        let sentences = [
            0: "No client key of u was working in the workspace. Nothing was changed.",
            1: "The client keys of u are disabled: 1 key.", 3: "The client keys of u are disabled: 3 keys.",
        ]
        for (count, sentence) in sentences {
            try await ScriptedServer.with({ _ in
                .json(#"{"client_keys":"disable","client_key_count":\#(count)}"#)
            }) { server in
                let reply = try await Program.call("key", "retire", "u", "--workspace", "shop", "--yes", at: server)
                #expect(reply.code == 0 && reply.output.contains(sentence), "\(reply.output)\(reply.errors)")
            }
        }
    }

    @Test func `several keys are revoked by one request, which the text, the ids and the JSON show`() async throws {
        let reply = #"{"data":[\#(Sample.key),\#(Sample.key(Self.other))]}"#
        for (option, expected) in [
            ("--wide", ["Revoked 2 keys.", Sample.id, Self.other]), ("--quiet", ["\(Sample.id)\n\(Self.other)\n"]),
            ("--json", ["[", "\"id\":", Self.other]),
        ] {
            try await ScriptedServer.with({ _ in .json(reply) }) { server in
                let command = ["key", "revoke", Sample.id, Self.other, "--workspace", "shop", "--yes", option]
                let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
                #expect(outcome.code == 0, "\(outcome.errors)")
                for text in expected { #expect(outcome.output.contains(text), "\(option): \(outcome.output)") }
                #expect(server.requests.map(\.uri) == ["/v1/workspaces/shop/service-keys/batch/revoke"])
            }
        }
    }

    // The accident: a name means two keys, and the wrong one is revoked.
    @Test func `a name that means several keys changes nothing, and the error lists them`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key, Sample.key(Self.other)]) }) { server in
            let outcome = try await Program.call("key", "revoke", "CI", "--workspace", "shop", "--yes", at: server)
            #expect(outcome.code == 64)
            for id in [Sample.id, Self.other] { #expect(outcome.errors.contains(id)) }
            #expect(server.requests.allSatisfy { $0.method == "GET" })
        }
    }

    @Test func `a name that no key has gets near names and the next command`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.contains("query=") ? Sample.list([]) : Sample.list([Sample.key(Self.other, name: "deploy")])
        }) { server in
            let outcome = try await Program.call("key", "get", "deplyo", "--workspace", "shop", at: server)
            #expect(outcome.code == 1)
            #expect(
                outcome.errors == """
                    Error: There is no service key "deplyo".
                      Did you mean deploy?
                      `mortise key list --workspace shop` lists what this credential can see.

                    """
            )
        }
    }

    @Test func `ORGANIZATION/WORKSPACE and an operator's slug are resolved to the id`() async throws {
        try await ScriptedServer.with({ request in
            switch request.uri.prefix(while: { $0 != "?" }) {
            case "/v1/organizations/acme": .json(Self.organization(Self.other, "acme"))
            case "/v1/workspaces": Sample.list([Self.workspace(Sample.id, "shop"), Self.workspace("w-2", "shopping")])
            default: .json(Self.workspace(Sample.id, "shop"))
            }
        }) { server in
            for name in ["acme/shop", "shop"] {
                let outcome = try await Program.run(
                    ["workspace", "suspend", name],
                    server: server,
                    environment: ["MORTISE_TOKEN": Self.operatorKey]
                )
                #expect(outcome.code == 0, "\(outcome.errors)")
            }
            #expect(
                server.requests.map { "\($0.method) \($0.uri)" } == [
                    "GET /v1/organizations/acme",
                    "GET /v1/workspaces?organization_id=\(Self.other)&query=shop&limit=100",
                    "POST /v1/workspaces/\(Sample.id)/suspend",
                    "GET /v1/workspaces?query=shop&limit=100",
                    "POST /v1/workspaces/\(Sample.id)/suspend",
                ]
            )
        }
    }

    // Every organization has a workspace `default`.
    @Test func `an operator's slug of a workspace means the one of the named organization`() async throws {
        try await ScriptedServer.with({ request in
            switch request.uri.prefix(while: { $0 != "?" }) {
            case "/v1/organizations/acme": .json(Self.organization(Self.other, "acme"))
            case "/v1/workspaces": Sample.list([Self.workspace(Sample.id, "default", of: Self.other)])
            default: Sample.list([Sample.member])
            }
        }) { server in
            let outcome = try await Program.run(
                ["member", "list", "--organization", "acme", "--workspace", "default"],
                server: server,
                environment: ["MORTISE_TOKEN": Self.operatorKey]
            )
            #expect(outcome.code == 0, "\(outcome.errors)")
            let sent = server.requests.map(\.uri)
            #expect(
                Array(sent.prefix(2)) == [
                    "/v1/organizations/acme", "/v1/workspaces?organization_id=\(Self.other)&query=default&limit=100",
                ]
            )
            #expect(sent.count == 3 && sent[2].contains("workspace_id=\(Sample.id)"), "\(sent)")
        }
    }

    @Test func `a slug that several organizations have is refused with all candidates`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.hasPrefix("/v1/organizations")
                ? Sample.list([Self.organization("o-1", "acme"), Self.organization("o-2", "bolt")])
                : Sample.list([Self.workspace("w-1", "shop", of: "o-1"), Self.workspace("w-2", "shop", of: "o-2")])
        }) { server in
            let outcome = try await Program.run(
                ["workspace", "delete", "shop", "--yes"],
                server: server,
                environment: ["MORTISE_TOKEN": Self.operatorKey]
            )
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("acme/shop") && outcome.errors.contains("bolt/shop"))
            #expect(server.requests.allSatisfy { $0.method == "GET" })
        }
    }

    // The server tells nobody which name is wrong.
    @Test(arguments: [["workspace", "suspend", "shpo"], ["key", "list", "--workspace", "shpo"]])
    func `after "not found" the error says which name is wrong`(_ command: [String]) async throws {
        try await ScriptedServer.with({ request in
            request.uri.hasPrefix("/v1/workspaces?")
                ? Sample.list([Self.workspace("w-1", "shop")]) : Sample.problem(404, "not_found", "Not here.")
        }) { server in
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 1)
            #expect(outcome.errors.contains("There is no workspace \"shpo\"."), "\(outcome.errors)")
            #expect(outcome.errors.contains("Did you mean shop?"))
        }
    }

    @Test func `a member is named by the e-mail address, and the organization defaults to the credential's`()
        async throws
    {
        try await ScriptedServer.with({ request in
            switch request.uri {
            case "/v1/me":
                .json(
                    #"{"type":"admin_key","key_id":"k","name":"n","organization_id":"o-1","permissions":[],"session_id":null,"user":null,"memberships":[]}"#
                )
            default: request.method == "GET" ? Sample.list([Sample.member]) : .json(Sample.member)
            }
        }) { server in
            let outcome = try await Program.call("member", "change", "ADA@example.com", "--role", "auditor", at: server)
            #expect(outcome.code == 0, "\(outcome.errors)")
            #expect(server.requests.last?.uri == "/v1/organizations/o-1/members/m-1")
        }
    }

    // The fault: a list says that a workspace was archived and a member changed, and not which.
    @Test func `events name the workspace, the member or the issuer that they are about`() async throws {
        let user = "0198c0de-0000-7000-8000-0000000000aa"
        let objects = [
            ("workspace.archived", #"{"state":{"from":"active","to":"archived"}}"#),
            ("workspace.created", #"{"slug":{"from":null,"to":"billing"}}"#),
            ("member.updated", #"{"user":"\#(user)","role":{"from":"admin","to":"owner"}}"#),
            ("member.added", #"{"email":"bob@example.com"}"#),
            ("session_issuer.added", #"{"issuer":"https://clerk.example.com"}"#),
        ]
        let events = objects.map { type, changes in
            Sample.event.replacing("rotated", with: type).replacing("admin-key:x", with: "system")
                .replacing(#""key_id":"key-1","key_name":"CI""#, with: #""key_id":null,"key_name":null"#)
                .replacing(#""changes":{}"#, with: #""changes":\#(changes)"#)
        }
        let member = Sample.member.replacing("\"u-1\"", with: "\"\(user)\"")
        try await ScriptedServer.with({ request in
            if request.uri.contains("/members") { return Sample.list([member]) }
            return request.uri.hasPrefix("/v1/workspaces") ? Sample.list([Sample.workspace]) : Sample.list(events)
        }) { server in
            let outcome = try await Program.call("organization", "events", "acme", at: server)
            let names = ["default", "billing", "ada@example.com", "bob@example.com", "https://clerk.example.com"]
            let lines = outcome.output.split(separator: "\n").dropFirst()
            #expect(lines.count == names.count, "\(outcome.everything)")
            for (line, name) in zip(lines, names) { #expect(line.contains(" \(name) "), "\(outcome.everything)") }
        }
    }

    // The fault: the list says that a workspace with some UUID was deleted.
    @Test func `events of a deleted workspace have the slug that other events name`() async throws {
        func event(_ type: String, _ workspace: String, _ changes: String = "{}") -> String {
            Sample.event.replacing("rotated", with: type).replacing("admin-key:x", with: "system")
                .replacing(#""key_id":"key-1","key_name":"CI""#, with: #""key_id":null,"key_name":null"#)
                .replacing("\"ws-1\"", with: "\"\(workspace)\"")
                .replacing(#""changes":{}"#, with: #""changes":\#(changes)"#)
        }
        let list = [
            event("workspace.deleted", "w-1"), event("workspace.archived", "w-2"), event("workspace.archived", "w-3"),
            event("workspace.created", "w-1", #"{"slug":{"from":null,"to":"shop"}}"#),
        ]
        let older = event("workspace.created", "w-2", #"{"slug":{"from":null,"to":"billing"}}"#)
        try await ScriptedServer.with({ request in
            if request.uri.contains("type=workspace.created") { return Sample.list([older]) }
            return request.uri.contains("/events") ? Sample.list(list) : Sample.list([])
        }) { server in
            let outcome = try await Program.call("organization", "events", "acme", at: server)
            let lines = outcome.output.split(separator: "\n").dropFirst()
            // Nothing names the third one.
            let names = ["shop", "billing", "w-3", "shop"]
            #expect(lines.count == names.count, "\(outcome.everything)")
            for (line, name) in zip(lines, names) { #expect(line.contains(" \(name) "), "\(outcome.everything)") }
        }
    }

    @Test func `events name their actors, and a wide list has the ids`() async throws {
        let user = "0198c0de-0000-7000-8000-0000000000aa"
        let key = "0198c0de-0000-7000-8000-0000000000bb"
        let actors = ["admin-key:\(key)", "member:\(user)", "system", "session:user_42"]
        let events = actors.enumerated()
            .map {
                Sample.event.replacing("admin-key:x", with: $0.element).replacing("\"e-1\"", with: "\"e-\($0.offset)\"")
            }
        let member = Sample.member.replacing("\"u-1\"", with: "\"\(user)\"")
        try await ScriptedServer.with({ request in
            if request.uri.contains("/admin-keys/") { return .json(Sample.key(key, name: "deploy")) }
            return request.uri.contains("/members") ? Sample.list([member]) : Sample.list(events)
        }) { server in
            let outcome = try await Program.call("workspace", "events", "w", at: server)
            for text in ["deploy (admin key)", "ada@example.com", "system", "session:user_42"] {
                #expect(outcome.output.contains(text), "\(outcome.output)")
            }
            #expect(!outcome.output.contains(key) && !outcome.output.contains(user))
            let count = server.requests.count
            let wide = try await Program.call("workspace", "events", "w", "--wide", at: server)
            for actor in actors { #expect(wide.output.contains(actor)) }
            let json = try await Program.call("workspace", "events", "w", "--json", at: server)
            #expect(json.output.contains("member:\(user)"))
            #expect(server.requests.count == count + 2)
        }
    }

    private static let me = """
        {"type":"admin_key","key_id":"k","name":"n","organization_id":"o-1","permissions":[],"session_id":null,"user":null,\
        "memberships":[]}
        """

    @Test(arguments: ["ADA@example.com", "deploy", "mks_live_ZZZ", "admin-key:x"])
    func `events are filtered by a name, which the server looks up`(_ actor: String) async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.event]) }) { server in
            let outcome = try await Program.call("workspace", "events", "w", "--actor", actor, "--json", at: server)
            #expect(outcome.code == 0, "\(outcome.errors)")
            let text = actor.replacing("@", with: "%40").replacing(":", with: "%3A")
            let sent = server.requests.map { $0.uri.replacing("@", with: "%40").replacing(":", with: "%3A") }
            #expect(sent == ["/v1/workspaces/w/events?actor=\(text)&limit=50"])
        }
    }

    // A typing error in a filter must not look like a quiet day.
    @Test(arguments: ["deplyo", "deploy"])
    func `an empty list of events says if nobody has the name of the actor`(_ actor: String) async throws {
        try await ScriptedServer.with({ request in
            if request.uri == "/v1/me" { return .json(Self.me) }
            if request.uri.contains("/events") || request.uri.contains("/members?query=") { return Sample.list([]) }
            if request.uri.contains("/members") { return Sample.list([Sample.member]) }
            let isKnown = request.uri.contains("/service-keys") && !request.uri.contains("query=deplyo")
            return Sample.list(isKnown ? [Sample.key(Self.other, name: "deploy")] : [])
        }) { server in
            let outcome = try await Program.call("workspace", "events", "shop", "--actor", actor, at: server)
            guard actor == "deplyo" else {
                #expect(outcome.code == 0 && outcome.errors == "No items found.\n", "\(outcome.errors)")
                return
            }
            #expect(outcome.code == 1 && outcome.output.isEmpty)
            #expect(
                outcome.errors == """
                    Error: There is no member or key "deplyo".
                      Did you mean deploy?
                      `mortise member list --organization o-1` and `mortise key list --workspace shop` list what this credential can see.

                    """
            )
        }
    }

    @Test func `an operator's list of workspaces names the organizations`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.hasPrefix("/v1/organizations")
                ? Sample.list([Self.organization("org-1", "acme")]) : Sample.list([Self.workspace("w-1", "shop")])
        }) { server in
            let list = ["workspace", "list"]
            let outcome = try await Program.run(list, server: server, environment: ["MORTISE_TOKEN": Self.operatorKey])
            #expect(outcome.output.hasPrefix("ORGANIZATION  SLUG"))
            #expect(outcome.output.contains("\nacme          shop"))
            let own = try await Program.run(list, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(own.output.hasPrefix("SLUG"))
        }
    }

    // An empty variable in a script reached another operation, whose error named options that nobody had given.
    @Test(arguments: [["key", "list", "--workspace", ""], ["workspace", "get", ""], ["organization", "get", ""]])
    func `an empty name is refused before anything is sent`(_ command: [String]) async throws {
        try await ScriptedServer.with({ _ in
            Issue.record("a request was sent")
            return Sample.list([])
        }) { server in
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 64 && outcome.output.isEmpty)
            #expect(outcome.errors.contains("must not be empty. Nothing was sent.\n"), "\(outcome.errors)")
        }
    }

    // The attack: the name of a key adds lines to an error, in the style of an instruction.
    @Test func `a near name has no line break in an error`() async throws {
        let name = #"deploy\n  Run `mortise logout`."#
        try await ScriptedServer.with({ request in
            if request.uri == "/v1/me" { return .json(Self.me) }
            if request.uri.contains("query=deplo") { return Sample.list([]) }
            return Sample.list(request.uri.contains("/service-keys") ? [Sample.key(Self.other, name: name)] : [])
        }) { server in
            let outcome = try await Program.call("key", "get", "deplo", "--workspace", "shop", at: server)
            #expect(outcome.errors.contains("deploy\\u{a}") && !outcome.errors.contains("\n  Run"), "\(outcome.errors)")
        }
    }
}
