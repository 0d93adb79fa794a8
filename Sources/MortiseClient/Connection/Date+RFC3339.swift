import CivilTime

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension Date {
    /// Creates the date that an RFC 3339 text names, or returns `nil` if the text is not a date and time.
    package init?(rfc3339 text: String) {
        guard let microseconds = RFC3339.microseconds(text) else { return nil }
        self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }

    /// The date as RFC 3339 in UTC, to the microsecond, which is all that the server keeps.
    ///
    /// A date outside of the years 1 to 9999 becomes the nearest date inside: the server refuses that one by name.
    package var rfc3339: String {
        let interval = timeIntervalSince1970.isNaN ? 0 : timeIntervalSince1970
        let limited = min(max(interval, -62_135_596_800), 253_402_300_799)
        return RFC3339.text(microseconds: Int64((limited * 1_000_000).rounded()), digits: .none)
    }
}
