import JSON
import Keys
import ServerTestSupport
import TestSupport
import Testing

/// The endpoints for operators on a running server.
@Suite(.hangLimit) struct OperationsTests {
    @Test func `health, readiness and metrics need no credential`() async throws {
        try await withMortise { mortise in
            let key = try await mortise.makeKey()
            _ = try await mortise.verdict(key.token)
            _ = try await mortise.verdict("junk")
            #expect(try await mortise.api.get("/healthz", as: nil).text == "ok\n")
            #expect(try await mortise.api.get("/readyz", as: nil).text == "ready\n")
            let metrics = try await mortise.api.get("/metrics", as: nil).text
            for line in [
                "mortise_verifications_total{code=\"valid\"} 1", "mortise_verifications_total{code=\"malformed\"} 1",
                "mortise_verifications_total{code=\"revoked\"} 0",
                "mortise_http_requests_total{operation=\"createServiceKey\",status=\"2xx\"} 1",
                "mortise_build_info{version=\"1.0.0-test\"} 1.0", "mortise_usage_uncounted 0.0",
            ] {
                #expect(metrics.contains(line), "\(line) is not in \(metrics)")
            }
        }
    }
}
