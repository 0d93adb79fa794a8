import Locks

/// A bar on the terminal that counts the workspaces that are done.
///
/// Nothing is shown if standard error is not a terminal.
final class Progress: Sendable {
    private let isShown: Bool
    private let total: Int
    private let count = Locked(0)

    /// The width of the bar in columns.
    private static let width = 30

    init(total: Int, isShown: Bool) {
        self.total = total
        self.isShown = isShown
    }

    /// Counts one more workspace.
    func advance() {
        guard isShown else { return }
        count.withLock { count in
            count += 1
            try? Output.error("\r\(Self.line(count, of: total))", terminator: "")
        }
    }

    /// Removes the bar.
    func end() {
        guard isShown, count.withLock({ $0 > 0 }) else { return }
        try? Output.error("\r\u{1B}[K", terminator: "")
    }

    private static func line(_ count: Int, of total: Int) -> String {
        // Workspaces that are created meanwhile are counted, too.
        let total = max(count, total)
        let filled = width * count / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "[\(bar)] \(count) of \(quantity(total, "workspace"))"
    }
}
