import HTTPTestSupport
import JSON
import Surfaces
import TestSupport
import Testing

/// `mortise status`, and the setting of the listener for operators.
@Suite(.hangLimit(.seconds(600))) struct StatusCommandTests {
    private static func answer(isReachable: Bool) -> String {
        """
        {"nodes":[{"id":"n-1","version":"1.2.3","started_at":"2030-01-31T12:34:56Z","unknown":1}],\
        "memory":{"keys":1234,"bytes":2097152},\
        "control_pools":[{"purpose":"changes","open":2,"idle":1,"waiting":0}],\
        "clusters":[{"id":"c-1","name":"primary","address":"db1.internal:5432","workspaces":21,\
        "is_reachable":\(isReachable),"fault":\(isReachable ? "null" : "\"no connection to the server\""),"version":\(isReachable ? "\"15.4\"" : "null"),\
        "is_standby":null,"connections":\(isReachable ? "40" : "null"),"maximum_connections":\(isReachable ? "100" : "null"),\
        "lookups":{"open":7,"limit":32,"waiting":3},"changes":{"purpose":"changes","open":4,"idle":1,"waiting":0},\
        "leases":[{"id":"l-1","host":"alpha","process_id":4711,"version":"1","peppers":["a"],"age_milliseconds":345,\
        "is_own":true,"is_silent":false},\
        {"id":"l-2","host":null,"process_id":null,"version":null,"peppers":null,"age_milliseconds":90000,\
        "is_own":false,"is_silent":true}],"fences":\(isReachable ? "2" : "null"),\
        "oldest_fence_milliseconds":\(isReachable ? "67" : "null"),\
        "standbys":[{"name":"standby1","state":"streaming","synchronization":"sync","lag_bytes":123456,\
        "lag_milliseconds":12}]}]}
        """
    }

    @Test(arguments: [(0, "0 B"), (10_239, "10239 B"), (10_240, "10 KiB"), (2_097_152, "2048 KiB")])
    func `a size has the largest unit in which it is 10 or more`(bytes: Int, text: String) {
        #expect(SizeText.text(bytes: bytes) == text)
    }

    @Test func `the state is a table for each kind of thing`() async throws {
        try await ScriptedServer.with({ _ in .json(Self.answer(isReachable: true)) }) { server in
            let outcome = try await Program.call("status", at: server)
            #expect(outcome.code == 0, "\(outcome.everything)")
            #expect(server.requests.map(\.uri) == ["/v1/status"])
            for text in [
                "n-1", "1.2.3", "2030-01-31 12:34", "primary  15.4", "40 of 100", "7 of 32", "standby1", "120 KiB",
                "12 ms", "1234", "2048 KiB", "l-1", "67 ms",
                "21          db1.internal:5432",
            ] {
                #expect(outcome.output.contains(text), "\(text) is not in \(outcome.output)")
            }
            // The fault: an operator looks for the node that changes wait for, and all leases look alike.
            func cells(_ id: String) -> [String] {
                let line = outcome.output.split(separator: "\n").first { $0.hasPrefix(id) } ?? ""
                return line.split(separator: "  ").map { String($0.drop(while: \.isWhitespace)) }.filter { !$0.isEmpty }
            }
            #expect(cells("l-1") == ["l-1", "primary", "345 ms ago", "this node: alpha, process 4711", "good"])
            let silent = ["l-2", "primary", "90000 ms ago", "another", "silent: the next change waits for it"]
            #expect(cells("l-2") == silent)
            let json = try await Program.call("status", "--json", at: server)
            #expect(try JSONValue(parsing: json.output.utf8)["nodes"]?.array?.first?["unknown"] == 1)
        }
    }

    @Test func `a PostgreSQL server that does not answer is named, and the exit code says so`() async throws {
        try await ScriptedServer.with({ _ in .json(Self.answer(isReachable: false)) }) { server in
            let outcome = try await Program.call("status", at: server)
            #expect(outcome.code == 1)
            #expect(outcome.output.contains("unreachable") && outcome.errors.contains("primary"))
            #expect(outcome.errors.contains("primary: no connection to the server."))
        }
    }

    @Test func `the server listens for operators where a setting says, and its status is that of the real server`()
        async throws
    {
        try await ProcessInstallation.with { installation in
            let socket = "\(installation.folder)/operators.sock"
            try await installation.serve(["--operations-listen", "unix:\(socket)"]) { program in
                let port = try await program.port()
                try await eventually("the server listens for operators") {
                    program.log.contains("listening for operators")
                }
                #expect(try await installation.status("/metrics", port: port) == 404)
                let variables = [
                    "MORTISE_TOKEN": installation.operatorToken, "MORTISE_URL": "http://127.0.0.1:\(port)",
                ]
                let outcome = try await Program.run(["status"], environment: variables)
                #expect(outcome.code == 0 && outcome.output.contains("primary"), "\(outcome.everything)")
            }
        }
    }
}

extension ProcessInstallation {
    /// Returns the status of a GET without a credential that matters.
    fileprivate func status(_ path: String, port: Int) async throws -> UInt {
        try await call("GET", path, port: port).status
    }
}
