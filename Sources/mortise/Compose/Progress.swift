import Synchronization

/// A line on the terminal that counts what is done; nothing where nobody watches.
final class Progress: Sendable {
    private let isShown: Bool
    private let count = Mutex(0)

    init(isShown: Bool) { self.isShown = isShown }

    /// One more is done.
    func advance() {
        guard isShown else { return }
        self.count.withLock { count in
            count += 1
            try? Output.error("\r\(count) workspaces", terminator: "")
        }
    }

    /// Nothing more comes.
    func end() {
        guard isShown, count.withLock({ $0 > 0 }) else { return }
        try? Output.error("")
    }
}
