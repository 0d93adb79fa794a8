import CivilTime
import JSON
package import Logging

/// Writes each log event as one line.
///
/// A JSON line has `ts` (RFC 3339, UTC), `level`, `logger` and `message`. The metadata are further members. Nested dictionaries
/// become members with dots in their names. Metadata with one of the four names gets the prefix `metadata.`. Each text passes
/// through the redactor, and has at most `maximumTextBytes` bytes.
package struct JSONLogHandler: LogHandler {
    /// The destination, format and redactor of lines, which all loggers of a process share.
    package struct Output: Sendable {
        /// The destination of lines.
        package var sink: any LogSink

        /// The format of lines.
        package var format: LogFormat

        /// Masks secrets in a text.
        package var redact: @Sendable (String) -> String

        /// Returns the time in microseconds since 1970.
        package var now: @Sendable () -> Int64

        /// The warnings and errors that come again and again, which all loggers share.
        let repeated: RepeatedLines

        /// Creates an output.
        package init(
            sink: any LogSink,
            format: LogFormat,
            redact: @escaping @Sendable (String) -> String,
            now: @escaping @Sendable () -> Int64 = systemMicroseconds
        ) {
            self.sink = sink
            self.format = format
            self.redact = redact
            self.now = now
            repeated = RepeatedLines()
        }

        /// Writes a line.
        func write(_ line: LogLine) { sink.write(bytes(of: line)) }

        /// Returns the bytes of a line in the output's format.
        func bytes(of line: LogLine) -> [UInt8] { format == .json ? line.json() : line.text() }

        /// Returns a line of Mortise's own log at the present time.
        func line(_ level: Logger.Level, _ message: String, _ fields: [(name: String, value: JSONValue)]) -> LogLine {
            LogLine(
                time: RFC3339.text(microseconds: now(), digits: .six),
                level: level,
                logger: "mortise.log",
                message: message,
                fields: fields
            )
        }
    }

    /// The maximum length of a text in a line, in bytes.
    ///
    /// A longer text is cut and ends in `…`.
    package static let maximumTextBytes = 8192

    /// The maximum number of metadata members in a line.
    package static let maximumMembers = 64

    /// The name of the logger.
    package let label: String

    /// The lowest level that is written.
    package var logLevel: Logger.Level

    /// The metadata of every line of this logger.
    package var metadata: Logger.Metadata = [:]

    /// Returns the metadata of the current task.
    package var metadataProvider: Logger.MetadataProvider?

    private let output: Output

    /// Creates a handler.
    package init(label: String, level: Logger.Level, output: Output, metadataProvider: Logger.MetadataProvider? = nil) {
        self.label = label
        logLevel = level
        self.output = output
        self.metadataProvider = metadataProvider
    }

    /// One member of `metadata`.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the event, unless it is one of many warnings or errors with the same cause.
    package func log(event: LogEvent) {
        guard event.level < .warning || output.repeated.admits(event, label, at: output.now()) else { return }
        var fields = LogFields(redact: output.redact)
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let given = event.metadata { all.merge(given) { _, new in new } }
        for key in all.keys.sorted() {
            if let value = all[key] { fields.add(key, value) }
        }
        if let error = event.error { fields.add("error", .string(String(describing: error))) }
        let line = LogLine(
            time: RFC3339.text(microseconds: output.now(), digits: .six),
            level: event.level,
            logger: label,
            message: fields.text(event.message.description),
            fields: fields.fields
        )
        output.write(line)
    }
}
