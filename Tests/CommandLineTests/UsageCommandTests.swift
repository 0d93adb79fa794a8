import HTTPTestSupport
import JSON
import MortiseClient
import TestSupport
import Testing
import mortise

/// `mortise key usage` and `mortise workspace usage`.
@Suite(.hangLimit(.seconds(600))) struct UsageCommandTests {
    private static func row(_ start: String, _ count: Int, _ more: String = "") -> String {
        #"{"start":"\#(start)",\#(more)"count":\#(count),"unknown":1}"#
    }

    @Test func `a report is read to its end and printed as a table with its sum`() async throws {
        try await ScriptedServer.with({ request in
            request.uri.contains("cursor=c2")
                ? Sample.list([Self.row("2030-01-31T13:00:00Z", 2, #""code":"expired","#)])
                : Sample.list([Self.row("2030-01-31T12:00:00Z", 1200, #""code":"valid","#)], next: "c2")
        }) { server in
            let arguments = ["workspace", "usage", "shop", "--by", "code", "--since", "2030-01-31T00:00:00Z"]
            let variables = ["MORTISE_TOKEN": Program.credential]
            let outcome = try await Program.run(arguments, server: server, environment: variables)
            #expect(
                outcome.output == """
                    TIME (UTC)        VERDICT  COUNT
                    2030-01-31 12:00  valid     1200
                    2030-01-31 13:00  expired      2
                    total                       1202

                    """
            )
            #expect(server.requests.count == 2)
            let query = "since=2030-01-31T00%3A00%3A00Z&step=hour&group_by=code&limit=100"
            #expect(server.requests.first?.uri == "/v1/workspaces/shop/usage?\(query)")
            let json = try await Program.run(arguments + ["--json"], server: server, environment: variables)
            #expect(json.output.hasPrefix("[{") && json.output.contains(#""unknown":1"#))
            #expect(try JSONValue(parsing: json.output.dropLast().utf8).array?.count == 2)
        }
    }

    @Test func `a report by key names the keys, and JSON has their ids`() async throws {
        let unknown = "0198c0de-0000-7000-8000-000000000002"
        try await ScriptedServer.with({ request in
            if request.uri.contains("/usage") {
                return Sample.list([
                    Self.row("2030-01-31T12:00:00Z", 3, #""key_id":"\#(Sample.id)","#),
                    Self.row("2030-01-31T12:00:00Z", 2, #""key_id":"\#(unknown)","#),
                ])
            }
            return Sample.list(request.uri.contains("/service-keys") ? [Sample.key] : [])
        }) { server in
            let text = try await Program.call("workspace", "usage", "shop", "--by", "key", at: server)
            #expect(text.code == 0, "\(text.everything)")
            #expect(text.output.contains("2030-01-31 12:00  CI  ") && text.output.contains(unknown), "\(text.output)")
            #expect(!text.output.contains(Sample.id))
            let count = server.requests.count
            let json = try await Program.call("workspace", "usage", "shop", "--by", "key", "--json", at: server)
            #expect(json.output.contains(Sample.id))
            #expect(server.requests.count == count + 1)
        }
    }

    @Test func `a report without rows says so, and an unknown step is a usage error`() async throws {
        try await ScriptedServer.with({ _ in Sample.list([]) }) { server in
            let empty = try await Program.call("key", "usage", Sample.id, "--workspace", "shop", at: server)
            #expect(empty.code == 0 && empty.output.isEmpty)
            #expect(empty.errors.contains("No verification was counted"))
            let wrong = try await Program.call("key", "usage", Sample.id, "--operator", "--step", "week", at: server)
            #expect(wrong.code == 64)
        }
    }

    @Test func `bars are in proportion, fit the terminal, and show every count that is not zero`() {
        #expect(UsageChart.bar(8, of: 8, width: 20) == String(repeating: "█", count: 20))
        #expect(UsageChart.bar(4, of: 8, width: 20) == String(repeating: "█", count: 10))
        #expect(UsageChart.bar(1, of: 1_000_000, width: 20) == "▏")
        #expect(UsageChart.bar(0, of: 8, width: 20).isEmpty)
        #expect(UsageChart.bar(8, of: 8, width: 500).count == 50)
        #expect(UsageChart.bar(8, of: 8, width: 7).isEmpty)
    }

    // The fault: a node is killed without a chance to flush.
    @Test func `counts and last uses that were written survive SIGKILL, and are written within two seconds`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let list = "/v1/workspaces/default/service-keys"
            let (id, token) = try await installation.serve { program in
                let port = try await program.port()
                let made = try await installation.call("POST", list, ["name": "k"], port: port)
                let id = try #require(made.body["key"]?["id"]?.string, "\(made)")
                let token = try #require(made.body["token"]?.string)
                for _ in 0..<20 { #expect(try await installation.verdict(token, port: port) == "valid") }
                // A node that writes less often would not be done in time on a machine of this speed.
                try await eventually("the counts are written", within: .seconds(2)) {
                    try await installation.call("GET", "\(list)/\(id)/usage?step=day", port: port).body["data"]?.array?
                        .reduce(0) { $0 + (Int($1["count"]?.text ?? "") ?? 0) } == 20
                }
                program.kill()
                try await program.waitForEnd()
                return (id, token)
            }
            try await installation.serve { program in
                let port = try await program.port()
                let key = try await installation.call("GET", "\(list)/\(id)", port: port).body
                #expect(key["last_used_at"]?.string != nil)
                _ = try await installation.verdict(token, port: port)
                let outcome = try await Program.run(
                    [
                        "key", "usage", id, "--workspace", "default", "--step", "day", "--url",
                        "http://127.0.0.1:\(port)",
                    ],
                    environment: ["MORTISE_TOKEN": installation.adminToken]
                )
                #expect(outcome.code == 0, "\(outcome.everything)")
                let total = try #require(outcome.output.split(separator: "\n").last)
                #expect(
                    total.hasPrefix("total") && (total.hasSuffix(" 20") || total.hasSuffix(" 21")),
                    "\(outcome.output)"
                )
            }
        }
    }
}
