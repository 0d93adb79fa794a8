import Testing
import Traces

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    @Test(arguments: [("01", true), ("00", false), ("03", true), ("fe", false)])
    func `a valid traceparent of version 00 is read, and other flags than sampled are ignored`(
        flags: String,
        isSampled: Bool
    )
        throws
    {
        let context = try #require(TraceContext(traceParent: "00-\(Self.trace)-\(Self.span)-\(flags)"))
        #expect(context.traceID.description == Self.trace)
        #expect(context.spanID.description == Self.span)
        #expect(context.isSampled == isSampled)
        #expect(context.traceParent == "00-\(Self.trace)-\(Self.span)-0\(isSampled ? 1 : 0)")
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-0", "00-\(trace)-\(span)-001", "00-\(trace)-\(span)-01-",
        "00-\(trace)-\(span)-01-more", "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01",
        "ff-\(trace)-\(span)-01", "0g-\(trace)-\(span)-01", "0F-\(trace)-\(span)-01",
        "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        "00-\(trace)-\(span)-0x", "00-\(trace)-\(span)-é", "01-\(trace)-\(span)-01x", "01-\(trace)-\(span)-0",
        "01-\(trace)-\(span)-01-" + String(repeating: "a", count: 500),
    ])
    func `an invalid traceparent is refused`(text: String) {
        #expect(TraceContext(traceParent: text) == nil)
    }

    @Test(arguments: ["01-\(trace)-\(span)-01", "cc-\(trace)-\(span)-09-what-the-future-brings"])
    func `a later version is read as version 00, and version 00 is sent`(text: String) throws {
        let context = try #require(TraceContext(traceParent: text))
        #expect(context.traceParent == "00-\(Self.trace)-\(Self.span)-01")
    }

    @Test func `a request continues its caller's trace in its own span`() {
        let parent = "00-\(Self.trace)-\(Self.span)-01"
        let context = TraceContext.ofRequest(traceParent: parent, traceState: "a=1,b=2")
        #expect(context.traceID.description == Self.trace)
        #expect(context.parentSpanID?.description == Self.span)
        #expect(context.spanID.description != Self.span)
        #expect(context.isSampled)
        #expect(context.state == "a=1,b=2")
    }

    @Test func `a request without a valid traceparent starts a unique trace`() {
        let contexts = (0..<1000).map { _ in TraceContext.ofRequest(traceParent: "nonsense", traceState: "a=1") }
        #expect(Set(contexts.map(\.traceID)).count == 1000)
        #expect(Set(contexts.map(\.spanID)).count == 1000)
        #expect(contexts.allSatisfy { $0.parentSpanID == nil && !$0.isSampled && $0.state == nil })
        #expect(contexts.allSatisfy { TraceContext(traceParent: $0.traceParent) != nil })
    }

    @Test(arguments: [
        ("a=1", true), ("a=1, b=2", true), ("a=1,,b=2", true), ("", false), (",", false), ("a", false), ("=1", false),
        ("a=\u{7F}", false), ("a=é", false), (String(repeating: "a", count: 511) + "=", true),
        (String(repeating: "a", count: 512) + "=", false),
        (Array(repeating: "a=1", count: 32).joined(separator: ","), true),
        (Array(repeating: "a=1", count: 33).joined(separator: ","), false),
    ])
    func `a tracestate out of bounds is dropped, and the trace continues`(state: String, isKept: Bool) throws {
        let parent = "00-\(Self.trace)-\(Self.span)-01"
        let context = try #require(TraceContext(traceParent: parent, traceState: state))
        #expect(context.state == (isKept ? state : nil))
    }
}
