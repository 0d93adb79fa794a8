import Logging

/// The warnings and errors that come again and again, such as those of an outage, of which a few a second are enough.
///
/// The value has no I/O. It takes a line's cause and the time, and says if the line is written.
struct RepeatedCauses {
    /// The cause of a line: its level, logger and message, and the members that tell operations apart.
    struct Cause: Hashable {
        let level: Logger.Level
        let logger: String
        let message: String
        let details: [String]
    }

    /// The lines of one cause that were left out.
    struct Omission: Equatable {
        let cause: Cause
        let count: Int
    }

    private struct Window {
        var startedAt: Int64
        var written = 0
        var omitted = 0
    }

    /// The lines of one cause that are written in a second.
    static let limit = 5
    /// The length of a window, in microseconds.
    static let window: Int64 = 1_000_000
    /// The causes that are counted apart.
    ///
    /// Lines of further causes are written.
    static let capacity = 256

    private var windows: [Cause: Window] = [:]

    /// Returns true if a line of the cause is written.
    ///
    /// - Parameters:
    ///   - cause: The cause of the line.
    ///   - now: The time in microseconds.
    /// - Returns: True if the line is written.
    mutating func admits(_ cause: Cause, at now: Int64) -> Bool {
        guard var window = windows[cause] else {
            if windows.count >= Self.capacity {
                windows = windows.filter { !isOver($0.value, now) || $0.value.omitted > 0 }
            }
            guard windows.count < Self.capacity else { return true }
            windows[cause] = Window(startedAt: now, written: 1)
            return true
        }
        if isOver(window, now) { window = Window(startedAt: now, omitted: window.omitted) }
        defer { windows[cause] = window }
        guard window.written < Self.limit else {
            window.omitted += 1
            return false
        }
        window.written += 1
        return true
    }

    /// Returns the lines that were left out in windows that are over, and forgets them.
    mutating func takeOmissions(at now: Int64) -> [Omission] {
        var omissions: [Omission] = []
        for (cause, window) in windows where window.omitted > 0 && isOver(window, now) {
            omissions.append(Omission(cause: cause, count: window.omitted))
            windows[cause]?.omitted = 0
        }
        return omissions
    }

    private func isOver(_ window: Window, _ now: Int64) -> Bool {
        // A wall clock can be set back.
        now - window.startedAt >= Self.window || now < window.startedAt
    }
}
