/// A format of log lines.
package enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object for each line, for machines.
    case json
    /// The time, level, logger, message and `key=value` pairs, for people.
    case text
}
