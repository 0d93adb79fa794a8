import CivilTime
import JSON
package import Logging

/// Writes each log event as one line.
///
/// As JSON: `ts` (RFC 3339, UTC), `level`, `logger`, `message`, and the metadata as further members, nested dictionaries
/// with dots between their names. Metadata that would take one of the four names has `metadata.` before it. Each text
/// passes through the redactor; a line has at most `maximumLineBytes` bytes.
package struct JSONLogHandler: LogHandler {
    /// Where lines go, how they look, and what is kept out of them; shared by all loggers of a process.
    package struct Output: Sendable {
        /// Where lines go.
        package var sink: any LogSink

        /// How lines look.
        package var format: LogFormat

        /// Takes secrets out of a text.
        package var redact: @Sendable (String) -> String

        /// The time in microseconds since 1970.
        package var now: @Sendable () -> Int64

        /// Makes an output.
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

    /// The longest text that one member of a line may have, in bytes; longer ones are cut off and end in `…`.
    package static let maximumTextBytes = 8192

    /// How many metadata members a line may have.
    package static let maximumMembers = 64

    /// The name of the logger.
    package let label: String

    /// The least serious level that is written.
    package var logLevel: Logger.Level

    /// What every line of this logger carries.
    package var metadata: Logger.Metadata = [:]

    /// Adds what the task that logs carries.
    package var metadataProvider: Logger.MetadataProvider?

    private let output: Output

    /// Makes a handler.
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
