import Endpoints
import HTTPTypes
import JSON
import Locks
import Server
import Telemetry
import TestSupport
import Testing

@Suite(.hangLimit) struct OperationsTests {
    @Test func `health, readiness and metrics need no credential`() async throws {
        try await withSampleServer { client async throws in
            #expect(try await client.send(.get, "/healthz", as: nil).text == "ok\n")
            #expect(try await client.send(.get, "/readyz?verbose", as: nil).text == "ready\n")
            let metrics = try await client.send(.get, "/metrics", as: nil)
            #expect(metrics.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("mortise_metrics_series_refused_total 0\n"))
        }
    }

    @Test func `requests are counted by operation and class of status`() async throws {
        let registry = PrometheusRegistry()
        try await withSampleServer(EndpointSettings(metrics: registry)) { client async throws in
            _ = try await client.send(.get, "/v1/workspaces/w/keys")
            _ = try await client.send(.get, "/v1/workspaces/w/keys", as: nil)
            _ = try await client.send(.post, "/v1/fails")
            _ = try await client.send(.get, "/v1/nothing")
        }
        let text = registry.exposition()
        #expect(text.contains(#"mortise_http_requests_total{operation="listKeys",status="2xx"} 1"#))
        #expect(text.contains(#"mortise_http_requests_total{operation="listKeys",status="4xx"} 1"#))
        #expect(text.contains(#"mortise_http_requests_total{operation="fails",status="5xx"} 1"#))
        #expect(text.contains(#"mortise_http_requests_total{operation="unmatched",status="4xx"} 1"#))
        #expect(text.contains(#"mortise_http_request_duration_seconds_count{operation="listKeys"} 2"#))
    }

    @Test func `readiness shows the reasons of the check, and never its errors`() async {
        #expect(await Readiness { ["no lease on cluster 1"] }.reasons() == ["no lease on cluster 1"])
        #expect(await Readiness { throw SampleSecretError() }.reasons() == ["the check failed"])
    }

    // A full disk refuses changes, and verification goes on: a load balancer must not take all nodes out.
    @Test func `a service that is ready says what it cannot do at the moment`() async {
        let limited = await Readiness(check: { [] }, limits: { ["changes are refused"] }).report()
        #expect(limited.isReady && limited.text == "ready\nchanges are refused\n")
        let down = await Readiness(check: { ["one", "two"] }, limits: { ["changes are refused"] }).report()
        #expect(!down.isReady && down.text == "one\ntwo\n")
    }

    @Test func `a check that hangs counts as not ready`() async {
        let readiness = Readiness(clock: ImpatientClock()) {
            try await Task.sleep(for: .seconds(3600))
            return []
        }
        #expect(await readiness.reasons() == ["the check did not end in time"])
    }

    // The endpoint needs no credential, so a thousand requests must not cause a thousand queries.
    @Test func `concurrent callers share one check`() async {
        let count = Locked(0)
        let readiness = Readiness(clock: StandingClock()) {
            count.withLock { $0 += 1 }
            return []
        }
        await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { #expect(await readiness.reasons() == []) } }
        }
        #expect(count.withLock { $0 } == 1)
    }
}
