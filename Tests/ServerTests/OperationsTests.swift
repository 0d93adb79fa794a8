import HTTPTestSupport
import JSON
import Keys
import Server
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
                "mortise_build_info{version=\"1.0.0-test\"} 1.0", "mortise_usage_uncounted_total 0.0",
            ] {
                #expect(metrics.contains(line), "\(line) is not in \(metrics)")
            }
        }
    }

    @Test func `HEAD announces the length that GET has`() async throws {
        try await withMortise { mortise in
            try await RawConnection.with(mortise.address) { connection in
                for path in ["/healthz", "/metrics", "/openapi.json"] {
                    var (get, head): (String?, String?) = (nil, nil)
                    // The figures of the process can change between the two requests.
                    for _ in 0..<50 where get == nil || get != head {
                        try await connection.get(path)
                        get = try await connection.answer()?["content-length"]
                        try await connection.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        head = try await connection.head()?["content-length"]
                    }
                    #expect(get != nil && get == head, "\(path)")
                }
            }
        }
    }

    // The attack: strangers read from the public listener which operations fail, and how many keys are verified.
    @Test func `a switch takes the metrics and the document off the listener`() async throws {
        try await withMortise(configure: { $0.publishesOperations = false }) { mortise async throws in
            #expect(try await mortise.api.get("/healthz", as: nil).status == 200)
            #expect(try await mortise.api.get("/readyz", as: nil).status == 200)
            for path in ["/metrics", "/openapi.json"] {
                #expect(try await mortise.api.get(path, as: nil).status == 404)
            }
        }
    }
}
