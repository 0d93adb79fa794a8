import Locks

/// A line on the terminal that counts the workspaces that are done.
///
/// It is empty if standard error is not a terminal.
final class Progress: Sendable {
    private let isShown: Bool
    private let count = Locked(0)

    init(isShown: Bool) { self.isShown = isShown }

    /// Counts one more workspace.
    func advance() {
        guard isShown else { return }
        count.withLock { count in
            count += 1
            try? Output.error("\r\(quantity(count, "workspace"))", terminator: "")
        }
    }

    /// Ends the line.
    func end() {
        guard isShown, count.withLock({ $0 > 0 }) else { return }
        try? Output.error("")
    }
}
