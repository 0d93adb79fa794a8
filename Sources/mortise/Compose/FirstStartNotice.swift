import Keys
import Service

/// The tokens that a first start creates, shown on standard output and never in the log.
///
/// They are shown before the keys are committed, so that none is lost.
struct FirstStartNotice {
    private let first: FirstStart

    init(_ first: FirstStart) { self.first = first }

    /// Writes all lines at once.
    ///
    /// Blocks until a reader has taken them.
    func show() throws {
        var lines = ["This is the first start. These tokens are shown once. Keep them in a safe place:"]
        if let token = first.operatorToken { lines.append("  operator key: \(token.reveal())") }
        if let token = first.adminToken {
            lines.append("  admin key of the organization \"default\": \(token.reveal())")
        }
        lines.append(
            "They are valid as soon as the server listens. If it ends before, start it again: tokens shown then replace these."
        )
        try Output.line(lines.joined(separator: "\n"))
    }
}
