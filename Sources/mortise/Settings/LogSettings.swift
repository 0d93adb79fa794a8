package import Logging

/// What is logged, and how.
package struct LogSettings: Sendable, Equatable {
    /// How a line of the log looks.
    package enum Format: String, Sendable, CaseIterable {
        /// One JSON object a line.
        case json
        /// For people.
        case text
    }

    /// Which requests get a line of the access log.
    package enum Access: String, Sendable, CaseIterable {
        /// All but verifications.
        case management
        /// All.
        case all
        /// None.
        case off
    }

    /// The least level that is written.
    ///
    /// Defaults to info.
    package var level: Logger.Level
    /// How a line looks.
    ///
    /// Defaults to text where standard error is a terminal, else JSON.
    package var format: Format
    /// Which requests are logged.
    ///
    /// Defaults to management.
    package var access: Access

    init(_ reader: SettingReader, isTerminal: Bool) throws(CommandFailure) {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        level = try reader.value(.logLevel, default: .info, expected: "one of \(levels)") { Logger.Level(rawValue: $0) }
        format = try reader.value(.logFormat, default: isTerminal ? .text : .json, expected: "json or text") {
            Format(rawValue: $0)
        }
        access = try reader.value(.accessLog, default: .management, expected: "management, all or off") {
            Access(rawValue: $0)
        }
    }
}
