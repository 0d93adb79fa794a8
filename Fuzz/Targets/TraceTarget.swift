import Traces

extension FuzzTarget {
    /// Reads the first line of the input as `traceparent`, and the second as `tracestate`.
    static func checkTrace(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let lines = input.text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (parent, state) = (lines[0], lines.count > 1 ? lines[1] : nil)
        let continued = TraceContext.ofRequest(traceParent: parent, traceState: state)
        guard let context = TraceContext(traceParent: parent, traceState: state) else {
            return try require(continued.parentSpanID == nil, "a request without a valid parent begins a trace")
        }
        try require(continued.traceID == context.traceID, "a request with a valid parent continues its trace")
        try require(context.state == nil || context.state == state, "a state is passed on unread or dropped")
        let again = TraceContext(traceParent: context.traceParent, traceState: context.state)
        try require(again == context, "a context is read back from its header")
        let fields = parent.split(separator: "-", omittingEmptySubsequences: false)
        try require(context.traceParent.contains("-\(fields[1])-\(fields[2])-"), "the ids have one spelling")
        if fields[0] == "00", fields[3] == "00" || fields[3] == "01" {
            try require(context.traceParent == parent, "a header of version 00 is written the same again")
        }
    }
}
