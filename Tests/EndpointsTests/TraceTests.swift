import Endpoints
import HTTPTypes
import JSON
import Logging
import ServerTestSupport
import Telemetry
import TestSupport
import Testing
import Traces

@Suite(.hangLimit) struct TraceTests {
    private static let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private let log = LineCollector()

    private func lines(_ message: JSONValue) -> [JSONValue] {
        log.lines.compactMap { try? JSONValue(parsing: $0.utf8) }.filter { $0["message"] == message }
    }

    private func traced(_ parents: String...) throws -> HTTPFields {
        let name = try #require(HTTPField.Name("traceparent"))
        return HTTPFields(parents.map { HTTPField(name: name, value: $0) })
    }

    @Test func `every log line of a request has its caller's trace id, even without a tracer`() async throws {
        try await withSampleServer(log: log) { client async throws in
            _ = try await client.send(.post, "/v1/fails", as: nil, try traced(Self.caller))
        }
        let all = lines("request")
        #expect(all.count == 1)
        for line in all { #expect(line["trace_id"] == "0af7651916cd43dd8448eb211c80319c") }
        #expect(all.first?["span_id"] != nil && all.first?["span_id"] != "b7ad6b7169203331")
    }

    @Test func `a request without a valid traceparent, or with two, starts its own trace`() async throws {
        try await withSampleServer(log: log) { client async throws in
            _ = try await client.send(.post, "/v1/fails", as: nil)
            _ = try await client.send(.post, "/v1/fails", as: nil, try traced("00-1-2-3"))
            _ = try await client.send(.post, "/v1/fails", as: nil, try traced(Self.caller, Self.caller))
        }
        let traces = lines("request").compactMap { $0["trace_id"]?.string }
        #expect(Set(traces).count == 3)
        #expect(traces.allSatisfy { $0.utf8.count == 32 && !Self.caller.contains($0) })
    }

    @Test func `with a tracer each request is a span with the operation's name and without path and query`()
        async throws
    {
        let output = JSONLogHandler.Output(sink: log, format: .json, redact: { $0 }, now: { 0 })
        let tracer = Telemetry(output: output, level: .info, logsSpans: true).tracer
        try await withSampleServer(log: log, tracer: tracer) { client async throws in
            _ = try await client.send(
                .get,
                "/v1/workspaces/secret/keys?query=secret",
                as: "writer",
                try traced(Self.caller)
            )
            _ = try await client.send(.post, "/v1/fails", as: nil)
            _ = try await client.send(.get, "/v1/nothing-secret")
        }
        let spans = lines("span")
        #expect(spans.map { $0["operation"] } == ["listKeys", "fails", "unmatched"])
        #expect(spans[0]["trace_id"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(spans[0]["parent_span_id"] == "b7ad6b7169203331")
        #expect(spans[0]["http.route"] == "/v1/workspaces/{workspace}/keys")
        #expect(spans[0]["http.request.method"] == "GET")
        #expect(spans[0]["http.response.status_code"] == 200)
        #expect(spans[0]["span_id"] == lines("request")[0]["span_id"])
        #expect(spans[1]["status"] == "error")
        #expect(spans[1]["error.type"] == "SampleSecretError")
        #expect(spans[2]["status"] == nil)
        #expect(spans.allSatisfy { !$0.text.contains("secret") })
    }
}
