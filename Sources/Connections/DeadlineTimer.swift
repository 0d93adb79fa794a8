package import NIOCore

/// The timer of a connection, which runs at the next deadline or before.
///
/// Use it on the connection's event loop.
package struct DeadlineTimer {
    private var scheduled: (task: Scheduled<Void>, at: NIODeadline)?

    /// Creates a timer that does not run.
    package init() {}

    /// Returns the deadline if the timer would run too late for it.
    ///
    /// A deadline that has moved into the future leaves the timer as it is, because most requests move it.
    package func missed(_ deadline: NIODeadline?) -> NIODeadline? {
        guard let deadline else { return nil }
        if let scheduled, scheduled.at <= deadline { return nil }
        return deadline
    }

    /// Lets the timer run at a deadline, and not at the one before.
    ///
    /// `fire` calls ``fired()`` and sets the next deadline.
    package mutating func set(_ deadline: NIODeadline, on eventLoop: any EventLoop, _ fire: @escaping () -> Void) {
        scheduled?.task.cancel()
        scheduled = (eventLoop.assumeIsolated().scheduleTask(deadline: deadline, fire), deadline)
    }

    /// Notes that the timer has run.
    package mutating func fired() { scheduled = nil }

    /// Ends the timer.
    package mutating func cancel() {
        scheduled?.task.cancel()
        scheduled = nil
    }
}
