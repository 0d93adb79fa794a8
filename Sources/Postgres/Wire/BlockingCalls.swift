import Dispatch
import Synchronization

/// Threads for the libpq calls that block: starting a connection (a name server may be slow) and cancelling a statement
/// (libpq before 17 connects, writes and waits in one call).
///
/// Neither may run on the cooperative pool or hold up the reactor.
///
/// A few serial queues bound the threads; a call that hangs delays only those that share its queue.
struct BlockingCalls: Sendable {
    private let queues: [DispatchQueue]
    private let turn: Turn

    private final class Turn: Sendable {
        let next = Atomic<Int>(0)
    }

    init(width: Int = 4) {
        self.queues = (0..<width).map { DispatchQueue(label: "postgres.blocking.\($0)") }
        self.turn = Turn()
    }

    func run(_ call: @escaping @Sendable () -> Void) {
        let index = self.turn.next.add(1, ordering: .relaxed).oldValue
        self.queues[Int(UInt(bitPattern: index) % UInt(self.queues.count))].async(execute: call)
    }
}
