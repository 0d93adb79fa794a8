import Keys
import Service

/// The keys that a first start made, shown this once on standard output: never in the log.
struct FirstStartNotice {
    private let first: FirstStart

    init(_ first: FirstStart) { self.first = first }

    func show() throws {
        guard self.first.operatorToken != nil || self.first.adminToken != nil else { return }
        try Output.line("This is the first start. These keys are shown once; keep them in a safe place:")
        if let token = self.first.operatorToken { try Output.line("  operator key: \(token.reveal())") }
        if let token = self.first.adminToken {
            try Output.line("  admin key of the organization \"default\": \(token.reveal())")
        }
    }
}
