extension TraceContext {
    /// The length of a `traceparent` of version 00: `00-` trace id `-` span id `-` flags.
    private static let parentLength = 55

    /// The longest accepted `traceparent` of a later version, in bytes.
    ///
    /// The specification sets no bound.
    private static let maximumParentLength = 512

    /// The longest `tracestate` that is passed on, in bytes, and its largest number of members.
    ///
    /// The specification requires 512 bytes (section 3.3.1.5) and at most 32 members (section 3.3.1.1).
    package static let maximumStateLength = 512
    private static let maximumStateMembers = 32

    /// The flag that says that the caller records the trace (section 3.2.2.5).
    private static let sampledFlag: UInt64 = 1

    /// Reads the context of the caller's span, or returns `nil` if `traceparent` is invalid (section 3.2.2).
    ///
    /// Digits must be in lower case, and neither id may be all zeros. Version 00 has exactly four fields. A later version
    /// may have more, which are not read. Version ff is invalid.
    package init?(traceParent: String, traceState: String? = nil) {
        var text = traceParent
        let context = text.withUTF8 { bytes in Self.read(bytes) }
        guard let (traceID, spanID, isSampled) = context else { return nil }
        self.init(
            traceID: traceID,
            spanID: spanID,
            parentSpanID: nil,
            isSampled: isSampled,
            state: traceState.flatMap { Self.isAcceptable(state: $0) ? $0 : nil }
        )
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> (TraceID, SpanID, isSampled: Bool)? {
        let dash = UInt8(ascii: "-")
        guard (parentLength...maximumParentLength).contains(bytes.count),
            bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hexadecimal.number(bytes[0..<2]), version != 0xFF,
            version == 0 ? bytes.count == parentLength : bytes.count == parentLength || bytes[parentLength] == dash,
            let high = Hexadecimal.number(bytes[3..<19]), let low = Hexadecimal.number(bytes[19..<35]),
            let traceID = TraceID(high: high, low: low),
            let span = Hexadecimal.number(bytes[36..<52]), let spanID = SpanID(span),
            let flags = Hexadecimal.number(bytes[53..<55])
        else { return nil }
        return (traceID, spanID, flags & sampledFlag != 0)
    }

    /// Returns true if a `tracestate` can be passed on: bounded, of printable ASCII, each member with a `=`.
    private static func isAcceptable(state: String) -> Bool {
        guard !state.isEmpty, state.utf8.count <= maximumStateLength,
            state.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 })
        else { return false }
        let members = state.utf8.split(separator: UInt8(ascii: ","))
            .filter { member in !member.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
        return (1...maximumStateMembers).contains(members.count)
            && members.allSatisfy { $0.dropFirst().contains(UInt8(ascii: "=")) }
    }

    /// The value of `traceparent` for a request that this span sends, in version 00.
    package var traceParent: String { "00-\(traceID)-\(spanID)-0\(isSampled ? 1 : 0)" }
}
