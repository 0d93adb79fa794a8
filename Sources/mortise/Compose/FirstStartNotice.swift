import Keys
import Service

/// The tokens that a first start creates, shown on standard output and never in the log.
///
/// They are shown before the keys are committed, so that none is lost.
struct FirstStartNotice {
    private let first: FirstStart

    init(_ first: FirstStart) { self.first = first }

    /// Writes the tokens to a new file that only its owner can read, or without one to standard output.
    ///
    /// Waits until the disk or a reader has taken them.
    ///
    /// - Throws: `CommandFailure` if the file exists or cannot be written. No key is created then.
    func show(in file: String?) async throws {
        guard let file else { return try await Blocking.run { try Output.line(text) } }
        try await FileAccess.writeSecret("\(text)\n", to: file)
        try await Blocking.run {
            try Output.line("This is the first start. Its tokens are in the file \(file). Keep them in a safe place.")
        }
    }

    private var text: String {
        var lines = ["This is the first start. These tokens are shown once. Keep them in a safe place:"]
        if let token = first.operatorToken { lines.append("  operator key: \(token.reveal())") }
        if let token = first.adminToken {
            lines.append("  admin key of the organization \"default\": \(token.reveal())")
        }
        lines.append(
            "They are valid as soon as the server listens. If it ends before that, start it again:"
                + " the tokens that it then shows replace these."
        )
        return lines.joined(separator: "\n")
    }
}
