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
///
/// Each event loop has a text of its own. With one for all, every answer would wait for the lock of the others, and move its memory between
/// processors.
package final class DateField: Sendable {
    private struct Last {
        var seconds = 0
        var text = ""
    }

    private let last = Striped(Last())

    /// Creates a field.
    package init() {}

    /// The value for now.
    package var value: String {
        let now = time(nil)
        return last.withCurrent { last in
            if last.seconds != now { last = Last(seconds: now, text: HTTPDate.text(seconds: now)) }
            return last.text
        }
    }
}
