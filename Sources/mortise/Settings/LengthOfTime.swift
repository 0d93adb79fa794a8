import ArgumentParser

/// A length of time on the command line: `90`, `90s`, `15m`, `24h`, `30d`.
package struct LengthOfTime: Sendable, Equatable, ExpressibleByArgument {
    /// The length in seconds.
    package let seconds: Int

    /// Reads a length.
    ///
    /// A number without a unit counts seconds.
    package init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int(digits) else {
            return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit ?? 1)
        // The limit of 1000 years keeps every date within the four-digit years of RFC 3339.
        guard !overflow, seconds <= 31_557_600_000 else { return nil }
        self.seconds = seconds
    }
}
