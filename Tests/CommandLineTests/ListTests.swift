import FoundationEssentials
import HTTPTestSupport
import MortiseClient
import TestSupport
import Testing

@Suite(.hangLimit) struct ListTests {
    @Test func `a list is a table with headings, and a wide list has uncut ids and times to the second`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key]) }) { server in
            let outcome = try await Program.call("key", "list", "--workspace", "shop", "--wide", at: server)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("ID ") == true)
            #expect(lines.last?.hasPrefix("0198c0de-0000-7000-8000-000000000001  CI  ") == true)
            #expect(lines.last?.contains("  2030-01-31 12:34:56  ") == true)
        }
    }

    @Test func `a list for people has names and relative times, and no color without a terminal`() async throws {
        let soon = Date(timeIntervalSinceNow: 3 * 86_400 + 600).rfc3339
        let key = Sample.key.replacing("2030-01-31T12:34:56.789Z", with: soon)
        try await ScriptedServer.with({ _ in Sample.list([key]) }) { server in
            let outcome = try await Program.call("key", "list", "--workspace", "shop", at: server)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.first?.hasPrefix("NAME ") == true)
            #expect(lines.last?.hasPrefix("CI ") == true)
            #expect(lines.last?.hasSuffix("in 3 days") == true, "\(outcome.output)")
            #expect(!outcome.output.contains("\u{1B}"))
            // The program itself takes the terminal of `script` for one with colors, unless NO_COLOR has a value.
            for (variables, isColored) in [
                ([:], true), (["NO_COLOR": "1"], false), (["TERM": "dumb"], false),
            ] as [([String: String], Bool)] {
                let (_, screen) = try await PseudoTerminal.run(
                    ["key", "list", "--workspace", "shop"],
                    server: server,
                    environment: ["MORTISE_TOKEN": "t"].merging(variables) { $1 },
                    answers: []
                )
                #expect(screen.contains("\u{1B}[32mactive\u{1B}[0m") == isColored, "\(screen)")
            }
        }
    }

    @Test func `filters and limits reach the server`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            _ = try await Program.call(
                "key",
                "list",
                "--workspace",
                "shop",
                "--status",
                "active",
                "--query",
                "a&b=c",
                "--limit",
                "7",
                at: server
            )
            #expect(
                server.requests.map(\.uri)
                    == ["/v1/workspaces/shop/service-keys?query=a%26b%3Dc&status=active&limit=7"]
            )
        }
    }

    @Test func `a time of a filter can be a distance from now, into the past or the future`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            let start = Date().timeIntervalSince1970.rounded(.down)
            let outcome = try await Program.call(
                "key",
                "list",
                "--operator",
                "--unused-since",
                "30d",
                "--expires-before",
                "7d",
                at: server
            )
            #expect(outcome.code == 0, "\(outcome.errors)")
            let end = Date().timeIntervalSince1970
            let query = try #require(server.requests.first?.uri.split(separator: "?").last)
            for (name, distance) in [("unused_since", -30 * 86_400.0), ("expires_before", 7 * 86_400.0)] {
                let parameter = try #require(query.split(separator: "&").first { $0.hasPrefix("\(name)=") })
                let text = String(parameter.dropFirst(name.count + 1)).replacing("%3A", with: ":")
                let time = try #require(Date(rfc3339: text)).timeIntervalSince1970
                #expect((start + distance...end + distance).contains(time), "\(text)")
            }
        }
    }

    @Test(arguments: [["--unused-since", "yesterday"], ["--expires-before", "2030-01-31"], ["--sort", "size"]])
    func `a filter or an order that means nothing is refused before a request`(_ options: [String]) async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            let outcome = try await Program.run(["key", "list", "--operator"] + options, server: server)
            #expect(outcome.code == 64, "\(outcome.errors)")
            #expect(outcome.errors.contains(options[0]) && server.requests.isEmpty)
        }
    }

    @Test func `--json prints one array of the server's objects and tells that more items exist`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key, Sample.key], next: "c2") }) { server in
            let outcome = try await Program.call("key", "list", "--workspace", "shop", "--json", at: server)
            #expect(outcome.output == "[\(Sample.key),\(Sample.key)]\n")
            #expect(outcome.errors.contains("--cursor c2"))
            #expect(server.requests.count == 1)
        }
    }

    @Test func `--all follows the cursors to the end and prints one object per line`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.contains("cursor=c2")
                ? Sample.list([Sample.key("3")]) : Sample.list([Sample.key("1"), Sample.key("2")], next: "c2")
        }) { server in
            let json = try await Program.call("key", "list", "--operator", "--all", "--json", at: server)
            #expect(json.output == ["1", "2", "3"].map { Sample.key($0) + "\n" }.joined())
            let quiet = try await Program.call("key", "list", "--operator", "--all", "--quiet", at: server)
            #expect(quiet.output == "1\n2\n3\n")
            #expect(server.requests.count == 4)
        }
    }

    @Test func `a server that returns the same page again does not cause an endless list`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key("1")], next: "same") }) { server in
            let outcome = try await Program.call("key", "list", "--operator", "--all", "--quiet", at: server)
            #expect(outcome.code == 3)
            #expect(server.requests.count == 2)
        }
    }

    @Test func `a table has a column for the kind of key`() async throws {
        for (owner, heading) in [
            (["--workspace", "w"], "TYPE"), (["--workspace", "w", "--client"], "SUBJECT"),
            (["--organization", "o"], "PERMISSIONS"), (["--operator"], "PERMISSIONS"),
        ] {
            try await ScriptedServer.with({ _ in Sample.list([Sample.key]) }) { server in
                let outcome = try await Program.run(
                    ["key", "list"] + owner,
                    server: server,
                    environment: ["MORTISE_TOKEN": "t"]
                )
                let first = try #require(outcome.output.split(separator: "\n").first)
                #expect(first.split(separator: " ").dropFirst(2).first == Substring(heading), "\(first)")
            }
        }
    }

    @Test func `events are a table with actors and addresses`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.event]) }) { server in
            let outcome = try await Program.call("workspace", "events", "w", "--wide", at: server)
            #expect(
                outcome.output == """
                    ID   TIME (UTC)           TYPE     KEY ID  KEY  ACTOR        ADDRESS    REQUEST
                    e-1  2029-01-31 12:34:56  rotated  key-1   CI   admin-key:x  192.0.2.1  req-7

                    """
            )
        }
    }

    // The attack: a tenant gives a key a name with an escape sequence, which an operator's terminal would execute.
    @Test(arguments: [["key", "list", "--workspace", "w"], ["key", "list", "--workspace", "w", "--quiet"]])
    func `text from a tenant cannot control the terminal`(_ command: [String]) async throws {
        let name = #"\u001b]0;owned\u0007\u202e"#
        try await ScriptedServer.with({ _ in Sample.list([Sample.key(name, name: name)]) }) { server in
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("\\u{1b}"))
            #expect(!outcome.output.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{07}" || $0 == "\u{202E}" })
        }
    }

    @Test func `everything about a key has a line for each of its secrets, and no JSON`() async throws {
        let secrets = """
            "secrets":[{"prefix":"mks_live_NEW","created_at":"2029-01-31T12:34:56Z","ends_at":null,"last_used_at":null,\
            "last_used_address":null},{"prefix":"mks_live_OLD","created_at":"2028-01-31T12:34:56Z",\
            "ends_at":"2029-02-01T12:34:56Z","last_used_at":null,"last_used_address":"192.0.2.1"}]
            """
        let key = Sample.key.replacing(#""secrets":[]"#, with: secrets)
        try await ScriptedServer.with({ _ in .json(key) }) { server in
            let outcome = try await Program.call("key", "get", Sample.id, "--workspace", "w", "--wide", at: server)
            #expect(outcome.code == 0, "\(outcome.everything)")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            let first = try #require(lines.firstIndex { $0.hasPrefix("secrets ") })
            #expect(lines[first].contains(" prefix mks_live_NEW, created at 2029-01-31 12:34:56 UTC"))
            try #require(lines.count > first + 1)
            #expect(lines[first + 1].hasPrefix("        ") && lines[first + 1].contains(" prefix mks_live_OLD, "))
            for text in ["ends at 2029-02-01 12:34:56 UTC", "last used address 192.0.2.1"] {
                #expect(lines[first + 1].contains(text), "\(lines)")
            }
            #expect(!outcome.output.contains("{\""), "\(outcome.output)")
        }
    }
}
