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

    /// Writes the event.
    package func log(event: LogEvent) {
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
        output.sink.write(output.format == .json ? line.json() : line.text())
    }
}
