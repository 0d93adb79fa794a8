import ArgumentParser
import FoundationEssentials
import MortiseClient

/// A time on the command line, in the format of RFC 3339: `2030-01-31T00:00:00Z`.
struct PointInTime: Sendable, Equatable, ExpressibleByArgument {
    /// The time.
    let date: Date

    init?(argument: String) {
        guard let date = Date(rfc3339: argument) else { return nil }
        self.date = date
    }
}
