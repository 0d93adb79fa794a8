import CivilTime
import Locks

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The value of the field `Date`, which is formatted once a second (RFC 9110 section 6.6.1).
package final class DateField: Sendable {
    private let last = Locked((seconds: 0, text: ""))

    /// Creates a field.
    package init() {}

    /// The value for now.
    package var value: String {
        let now = time(nil)
        return last.withLock { last in
            if last.seconds != now { last = (now, HTTPDate.text(seconds: now)) }
            return last.text
        }
    }
}
