import JSON
import Logging
import ServerTestSupport
import Telemetry
import Testing
import Traces
import Tracing

@Suite struct LogTracerTests {
    private struct Fields: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    private let log = LineCollector()

    private var telemetry: Telemetry {
        Telemetry(
            output: JSONLogHandler.Output(sink: log, format: .json, redact: { $0 }, now: { 0 }),
            level: .trace
        )
    }

    private var tracer: LogTracer { LogTracer(telemetry.logger(label: "spans")) }

    private var lines: [JSONValue] { log.lines.compactMap { try? JSONValue(parsing: $0.utf8) } }

    @Test func `each span is a line that names its parent, and the inner span comes first`() {
        tracer.withSpan("outer", ofKind: .server) { outer in
            outer.attributes["http.response.status_code"] = Int64(200)
            tracer.withSpan("inner") { _ in }
        }
        let (inner, outer) = (lines[0], lines[1])
        #expect(inner["operation"] == "inner" && outer["operation"] == "outer")
        #expect(outer["kind"] == "server")
        #expect(outer["http.response.status_code"] == 200)
        #expect(inner["parent_span_id"] == outer["span_id"])
        #expect(inner["trace_id"] == outer["trace_id"])
        #expect(outer["parent_span_id"] == nil)
    }

    @Test func `a trace that its root does not sample is propagated and not written`() {
        let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
        var sent: [String: String] = [:]
        for flags in ["00", "01"] {
            var context = ServiceContext.topLevel
            tracer.extract(["traceparent": "\(caller)-\(flags)", "tracestate": "a=1"], into: &context, using: Fields())
            tracer.withSpan("request", context: context, ofKind: .server) { span in
                tracer.inject(span.context, into: &sent, using: Fields())
            }
            #expect(sent["traceparent"]?.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-") == true)
            #expect(sent["traceparent"]?.hasSuffix("-\(flags)") == true)
            #expect(sent["traceparent"]?.contains("b7ad6b7169203331") == false)
            #expect(sent["tracestate"] == "a=1")
        }
        #expect(lines.count == 1)
    }

    @Test func `a failed span has the error's type and not its text`() {
        struct Secret: Error, CustomStringConvertible { let description = "hunter2" }
        #expect(throws: Secret.self) { try tracer.withSpan("fails") { _ in throw Secret() } }
        #expect(lines[0]["error.type"] == "Secret")
        #expect(lines[0]["status"] == "error")
        #expect(!lines[0].text.contains("hunter2"))
    }

    @Test func `a log line inside a span has the span's ids, and a line outside has none`() {
        let logger = telemetry.logger(label: "library")
        logger.info("outside")
        tracer.withSpan("request") { _ in logger.info("inside") }
        #expect(lines[0]["trace_id"] == nil)
        #expect(lines[1]["logger"] == "library")
        #expect(lines[1]["trace_id"] == lines[2]["trace_id"])
        #expect(lines[1]["span_id"] == lines[2]["span_id"])
    }
}
