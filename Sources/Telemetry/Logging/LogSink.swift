/// A destination of log lines.
package protocol LogSink: Sendable {
    /// Writes one line with its line feed, in full or not at all.
    func write(_ line: [UInt8])
}
