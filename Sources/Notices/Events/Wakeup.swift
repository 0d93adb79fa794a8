/// A signal that starts the next round of a loop at once; the loop has a round every second in any case.
final class Wakeup: Sendable {
    private let signals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Starts a round.
    func wake() { continuation.yield() }

    /// Runs rounds until the task is cancelled.
    ///
    /// - Parameters:
    ///   - interval: The maximum time between two rounds.
    ///   - pause: The time after a round in which no other one begins, so that signals of that time share one.
    ///   - round: One round.
    func run(every interval: Duration, pause: Duration = .zero, _ round: () async -> Void) async {
        await withTaskGroup { group in
            group.addTask { [self] in
                while !Task.isCancelled {
                    wake()
                    try? await Task.sleep(for: interval)
                }
            }
            for await _ in signals {
                if Task.isCancelled { break }
                await round()
                if pause > .zero { try? await Task.sleep(for: pause) }
            }
            group.cancelAll()
        }
    }
}
