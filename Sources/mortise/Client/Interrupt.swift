import Glibc
import Locks
import UnixSignals

/// Ctrl-C, SIGTERM, and SIGHUP of a terminal that closes, during a request.
///
/// Their default action would end the process without a message, and its user would not know whether a key exists.
enum Interrupt {
    private struct Current: Sendable {
        var state = InterruptState()
        var cancel: (@Sendable () -> Void)?
    }

    private static let current = Locked(Current())

    /// The signals are trapped once and until the end of the process: libdispatch installs its handler of a signal only once.
    private static let trap = Task {
        let signals = await UnixSignalsSequence(trapping: trapped)
        Task {
            for await signal in signals { receive(signal) }
        }
    }

    /// The signals that end a command: all three, without a SIGHUP that is ignored, as after `nohup`.
    ///
    /// Read it before anything traps SIGHUP, because a trap replaces the action.
    static var trapped: [UnixSignal] {
        var action = sigaction()
        sigaction(SIGHUP, nil, &action)
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self) ? [.sigint, .sigterm] : [.sigint, .sigterm, .sighup]
    }

    /// Runs the work, which signals cancel.
    ///
    /// A further signal ends the process.
    ///
    /// - Parameters:
    ///   - kind: The kind of the work.
    ///   - work: The work.
    /// - Returns: The result of the work, which is also what a cancelled request knows about its own fate.
    static func cancelling<Value: Sendable>(
        _ kind: InterruptState.Work = .request,
        _ work: @escaping @Sendable () async -> Value
    ) async -> Value {
        await trap.value
        let task = current.withLock { current in
            let task = Task { await work() }
            current.state.begin(kind)
            current.cancel = { task.cancel() }
            return task
        }
        let value = await task.value
        current.withLock { current in
            current.state.end()
            current.cancel = nil
        }
        return value
    }

    private static func receive(_ signal: UnixSignal) {
        let (action, cancel) = current.withLock { current in (current.state.received(signal.rawValue), current.cancel) }
        switch action {
        case .cancelWork: cancel?()
        case .endProcess: end(by: signal.rawValue)
        case .none: break
        }
    }

    /// Ends the process by a signal, so that a shell stops its script too.
    private static func end(by number: CInt) {
        signal(number, SIG_DFL)
        // libdispatch blocks all signals on its threads.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }
}
