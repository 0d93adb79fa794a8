import Keys
import Service

/// The keys that a first start makes, shown on standard output: never in the log.
///
/// They are shown before they count, so that none can be lost.
struct FirstStartNotice {
    private let first: FirstStart

    init(_ first: FirstStart) { self.first = first }

    /// Writes all lines at once; a reader that does not read holds this up.
    func show() throws {
        var lines = ["This is the first start. These keys are shown once; keep them in a safe place:"]
        if let token = first.operatorToken { lines.append("  operator key: \(token.reveal())") }
        if let token = first.adminToken {
            lines.append("  admin key of the organization \"default\": \(token.reveal())")
        }
        lines.append(
            "They count once the server listens. Should it end before, start it again: keys shown then replace these."
        )
        try Output.line(lines.joined(separator: "\n"))
    }
}
