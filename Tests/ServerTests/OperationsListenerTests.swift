import Connections
import HTTPTestSupport
import NIOCore
import Server
import ServerTestSupport
import TestSupport
import Testing

/// The listener for operators and their tools.
@Suite(.hangLimit) struct OperationsListenerTests {
    private static func get(_ path: String, at socket: String) async throws -> (status: Int, text: String) {
        let address = try SocketAddress(unixDomainSocketPath: socket)
        return try await RawConnection.with(address) { connection in
            try await connection.get(path)
            let answer = try #require(try await connection.answer())
            return (answer.status, answer.body)
        }
    }

    private func withOperators(_ body: (ServerHarness, String) async throws -> Void) async throws {
        let socket = "/tmp/mortise-operators-\(UInt64.random(in: 0 ... .max)).sock"
        try await withMortise(configure: { $0.operations = .unixSocket(path: socket) }) { mortise in
            // Listeners start side by side.
            try await eventually("operators can connect") { (try? await Self.get("/healthz", at: socket)) != nil }
            try await body(mortise, socket)
        }
    }

    // The attack: a stranger at the public listener reads how many keys are verified.
    @Test func `operators have a listener of their own, and the public one has no metrics then`() async throws {
        try await withOperators { mortise, socket async throws in
            #expect(try await Self.get("/healthz", at: socket).text == "ok\n")
            #expect(try await Self.get("/readyz", at: socket).text == "ready\n")
            #expect(try await Self.get("/metrics", at: socket).status == 200)
            for path in ["/v1/verify", "/v1/status", "/openapi.json", "/", "/api/v1/api-keys"] {
                #expect(try await Self.get(path, at: socket).status == 404, "\(path)")
            }
            #expect(try await mortise.api.get("/metrics", as: nil).status == 404)
            // Load balancers ask the listener that they send requests to.
            #expect(try await mortise.api.get("/healthz", as: nil).status == 200)
            #expect(try await mortise.api.get("/readyz", as: nil).status == 200)
        }
    }

    // A scrape of an idle server had 3,955 series and 343 KB.
    @Test func `a scrape of an idle server is small, and has the process and the connections`() async throws {
        try await withOperators { mortise, socket async throws in
            let scrape = try await Self.get("/metrics", at: socket).text
            #expect(scrape.utf8.count < 60_000, "\(scrape.utf8.count) bytes")
            let names = Set(
                scrape.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
                    .map { String($0.split(separator: " ")[2]) }
            )
            for name in [
                "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
                "process_start_time_seconds", "mortise_control_pool_connections", "mortise_lookup_connections",
                "mortise_lookup_connections_limit", "mortise_clusters_in_use", "mortise_workspace_pool_connections",
            ] {
                #expect(names.contains(name), "\(name)")
            }
            // Every family has a text, which `promtool check metrics` demands.
            let texts = scrape.split(separator: "\n").count { $0.hasPrefix("# HELP ") }
            #expect(texts == names.count)
            #expect(!scrape.contains("operation=\"createServiceKey\""))
            _ = try await mortise.makeKey()
            let later = try await Self.get("/metrics", at: socket).text
            #expect(later.contains(#"mortise_http_requests_total{operation="createServiceKey",status="2xx"} 1"#))
            #expect(later.contains(#"mortise_http_request_duration_seconds_count{operation="createServiceKey"} 1"#))
        }
    }

    @Test func `the figures of the process and of look-ups are those of the scrape`() async throws {
        try await withOperators { mortise, socket async throws in
            func value(_ series: String) async throws -> Double {
                let text = try await Self.get("/metrics", at: socket).text
                let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(series) ") }, "\(series)")
                return try #require(Double(line.split(separator: " ").last ?? ""))
            }
            #expect(try await value(#"mortise_lookup_connections{state="open"}"#) == 0)
            let key = try await mortise.makeKey()
            #expect(try await mortise.verdict(key.token) == "valid")
            #expect(try await value(#"mortise_lookup_connections{state="open"}"#) == 1)
            #expect(try await value("mortise_clusters_in_use") == 1)
            #expect(try await value("mortise_lookup_connections_limit") >= 1)
            let cpu = try await value("process_cpu_seconds_total")
            #expect(cpu > 0)
            #expect(try await value("process_cpu_seconds_total") >= cpu)
            #expect(try await value("process_resident_memory_bytes") > 1_000_000)
            #expect(try await value("process_start_time_seconds") > 1_700_000_000)
            let open = try await value("process_open_fds")
            let limit = try await value("process_max_fds")
            #expect(open > 3 && open <= limit)
        }
    }
}
