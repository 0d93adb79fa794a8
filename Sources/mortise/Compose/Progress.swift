import Backups
import Locks

/// The progress of work on many objects: a bar on a terminal, a line for each tenth elsewhere.
///
/// Both go to standard error.
final class Progress: Sendable {
    private struct State {
        var count = 0
        var total: Int
        /// The number of tenths that have a line.
        var tenths = 0
    }

    /// The place where the progress is shown.
    enum Form {
        /// A bar on a terminal.
        case bar
        /// A line for each tenth.
        case lines
        /// Nothing, because the results themselves show the progress.
        case none
    }

    private let form: Form
    private let noun: String
    private let done: String
    private let state: Locked<State>

    /// The width of the bar in columns.
    private static let width = 30

    /// Counts objects whose number is known.
    init(noun: String, done: String = "done", total: Int, _ form: Form) {
        self.form = form
        self.noun = noun
        self.done = done
        state = Locked(State(total: total))
    }

    /// Counts objects whose number the first event tells.
    init(noun: String, done: String = "done", isTerminal: Bool) {
        form = isTerminal ? .bar : .lines
        self.noun = noun
        self.done = done
        state = Locked(State(total: 0))
    }

    /// Shows a step of a backup or of a restoration.
    func show(_ event: BackupEvent) {
        switch event {
        case .began(let total): state.withLock { $0 = State(total: total) }
        case .finished: advance()
        }
    }

    /// Counts one more.
    func advance() {
        state.withLock { state in
            state.count += 1
            // Things that appear meanwhile are counted, too.
            let total = max(state.count, state.total)
            switch form {
            case .none: return
            case .bar: try? Output.error("\r\(bar(state.count, of: total))", terminator: "")
            case .lines:
                let tenths = 10 * state.count / total
                guard tenths > state.tenths else { return }
                state.tenths = tenths
                // The work goes on if nobody reads the progress.
                Output.notice("\(state.count) of \(quantity(total, noun)) \(done)")
            }
        }
    }

    /// Removes the bar.
    func end() {
        guard form == .bar, state.withLock({ $0.count > 0 }) else { return }
        try? Output.error("\r\u{1B}[K", terminator: "")
    }

    private func bar(_ count: Int, of total: Int) -> String {
        let filled = Self.width * count / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        return "[\(bar)] \(count) of \(quantity(total, noun))"
    }
}
