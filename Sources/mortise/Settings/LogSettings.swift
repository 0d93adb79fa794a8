package import Logging

/// The level and the form of the log.
package struct LogSettings: Sendable, Equatable {
    /// The form of a log line.
    package enum Format: String, Sendable, CaseIterable {
        /// One JSON object on each line.
        case json
        /// Text for people.
        case text
    }

    /// The requests that the access log has.
    package enum Access: String, Sendable, CaseIterable {
        /// All requests except verifications.
        case management
        /// All requests.
        case all
        /// No requests.
        case off
    }

    /// The spans that the log has.
    package enum Spans: String, Sendable, CaseIterable {
        /// A line for each span of a sampled trace.
        case sampled
        /// No spans.
        case off
    }

    /// The lowest level that is written.
    ///
    /// Defaults to info.
    package var level: Logger.Level
    /// The form of a log line.
    ///
    /// Defaults to text if standard error is a terminal, else to JSON.
    package var format: Format
    /// The requests that the access log has.
    ///
    /// Defaults to management.
    package var access: Access
    /// The spans that the log has.
    ///
    /// Defaults to off.
    package var spans: Spans

    init(_ reader: SettingReader, isTerminal: Bool) throws(CommandFailure) {
        level = try reader.value(Settings.logLevel)
        format = try reader.value(Settings.logFormat) ?? (isTerminal ? .text : .json)
        access = try reader.value(Settings.accessLog)
        spans = try reader.value(Settings.spanLog)
    }
}
