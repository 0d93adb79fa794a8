import ArgumentParser
import FoundationEssentials

/// A time on the command line, in the format of RFC 3339, or its distance from now, such as `30d`.
enum TimeOrDistance: Sendable, Equatable, ExpressibleByArgument {
    case time(PointInTime)
    case distance(LengthOfTime)

    init?(argument: String) {
        if let length = LengthOfTime(argument: argument) {
            self = .distance(length)
        } else if let time = PointInTime(argument: argument) {
            self = .time(time)
        } else {
            return nil
        }
    }

    /// The time, with a distance into the past.
    var past: Date { date(sign: -1) }

    /// The time, with a distance into the future.
    var future: Date { date(sign: 1) }

    /// Returns the time.
    ///
    /// A distance is counted from now, in whole seconds.
    private func date(sign: Int) -> Date {
        switch self {
        case .time(let time): return time.date
        case .distance(let length):
            let now = Date().timeIntervalSince1970.rounded(.down)
            return Date(timeIntervalSince1970: now + Double(sign * length.seconds))
        }
    }
}
