import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct ListTests {
    @Test func `a list is a table with headings and whole ids`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key]) }) { server in
            let outcome = try await Program.call("key", "list", "--workspace", "shop", at: server)
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("ID ") == true)
            #expect(lines.last?.hasPrefix("0198c0de-0000-7000-8000-000000000001  CI  ") == true)
            #expect(lines.last?.hasSuffix("2030-01-31 12:34") == true)
        }
    }

    @Test func `filters and limits go to the server`() async throws {
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

    @Test func `json is one array, and says when there is more`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([Sample.key, Sample.key], next: "c2") }) { server in
            let outcome = try await Program.call("key", "list", "--workspace", "shop", "--json", at: server)
            #expect(outcome.output == "[\(Sample.key),\(Sample.key)]\n")
            #expect(outcome.errors.contains("--cursor c2"))
            #expect(server.requests.count == 1)
        }
    }

    @Test func `all follows the cursors to the end, one object a line`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.contains("cursor=c2")
                ? Sample.list([#"{"id":"3"}"#])
                : Sample.list([#"{"id":"1"}"#, #"{"id":"2"}"#], next: "c2")
        }) { server in
            let json = try await Program.call("key", "list", "--operator", "--all", "--json", at: server)
            #expect(json.output == "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n")
            let quiet = try await Program.call("key", "list", "--operator", "--all", "--quiet", at: server)
            #expect(quiet.output == "1\n2\n3\n")
            #expect(server.requests.count == 4)
        }
    }

    @Test func `a server that repeats a page does not make the list endless`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([#"{"id":"1"}"#], next: "same") }) { server in
            let outcome = try await Program.call("key", "list", "--operator", "--all", "--quiet", at: server)
            #expect(outcome.code == 3)
            #expect(server.requests.count == 2)
        }
    }

    // Attack: a tenant names a key so that an operator's terminal runs the sequence in the name.
    @Test(arguments: [["key", "list", "--workspace", "w"], ["key", "list", "--workspace", "w", "--quiet"]])
    func `what a tenant wrote cannot steer the terminal`(_ command: [String]) async throws {
        let name = #"\u001b]0;owned\u0007\u202e"#
        try await ScriptedServer.with({ _ in Sample.list([#"{"id":"\#(name)","name":"\#(name)"}"#]) }) { server in
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("\\u{1b}"))
            #expect(!outcome.output.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{07}" || $0 == "\u{202E}" })
        }
    }
}
