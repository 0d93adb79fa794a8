import CLibPQ
import Glibc
import Synchronization

/// A poller that waits for many sockets at once, and that other threads can wake.
///
/// The poller uses Linux's epoll, level-triggered, and an eventfd. It is part of this module because these are C calls on bare
/// descriptors. One thread calls ``wait(milliseconds:_:)``. Any thread can call the other methods, as epoll(7) allows.
@safe
public final class Poller: Sendable {
    private let epoll: Int32
    private let event: Int32
    /// The thread that waits, as pthread_self(3) names it.
    ///
    /// The value is 0 before the first wait.
    private let thread = Atomic<UInt>(0)

    /// The events to wait for on a socket.
    ///
    /// The poller always reports errors and hang-ups, as readable.
    public struct Interest: OptionSet, Sendable {
        /// The bits of `epoll_event.events`.
        public let rawValue: UInt32
        /// Creates an option set from these bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The socket can be read.
        public static let read = Interest(rawValue: EPOLLIN.rawValue)
        /// The socket can be written.
        public static let write = Interest(rawValue: EPOLLOUT.rawValue)
    }

    /// A reason for the end of a wait.
    public enum Event: Sendable {
        /// Another thread called `wake`.
        case woken
        /// The socket with this number can be read (or is broken) or written.
        case ready(id: UInt64, readable: Bool, writable: Bool)
    }

    /// Opens the descriptors.
    ///
    /// - Throws: `LibPQError` if the system provides no descriptors.
    public init() throws(LibPQError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        event = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, event >= 0 else { throw LibPQError("epoll_create1", "errno \(errno)") }
        var registration = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 0))
        guard unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, event, &registration) == 0 else {
            throw LibPQError("epoll_ctl", "errno \(errno)")
        }
    }

    deinit {
        close(epoll)
        close(event)
    }

    /// Starts to watch a socket, or changes the events that are watched.
    ///
    /// - Parameters:
    ///   - socket: The descriptor of the socket.
    ///   - id: The number under which events are reported. It must not be 0.
    ///   - interest: The events.
    ///   - isNew: True if the socket is not watched yet.
    /// - Throws: `LibPQError` if epoll refuses the socket.
    public func watch(socket: Int32, id: UInt64, interest: Interest, isNew: Bool) throws(LibPQError) {
        var registration = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: id))
        let operation = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        guard unsafe epoll_ctl(epoll, operation, socket, &registration) == 0 else {
            throw LibPQError("epoll_ctl", "errno \(errno)")
        }
    }

    /// Stops watching a socket.
    ///
    /// Call this before the socket is closed.
    ///
    /// A socket that is not watched is ignored.
    public func unwatch(socket: Int32) {
        var registration = unsafe epoll_event()
        unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &registration)
    }

    /// True on the thread that calls `wait`.
    public var isOwnThread: Bool { thread.load(ordering: .relaxed) == pthread_self() }

    /// Makes `wait` return.
    public func wake() {
        // The counter is full only after 2^64 - 1 calls, and then `wait` returns anyway.
        eventfd_write(event, 1)
    }

    /// Waits for events, and reports each of them.
    ///
    /// - Parameters:
    ///   - milliseconds: The maximum wait.
    ///   - report: Called for each event, on this thread.
    public func wait(milliseconds: Int32, _ report: (Event) -> Void) {
        thread.store(pthread_self(), ordering: .relaxed)
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(events.count), milliseconds)
            guard count > 0 else { return }  // a timeout, or EINTR: the caller calls again
            for index in 0..<Int(count) {
                let event = unsafe events[index]
                let id = unsafe event.data.u64
                if id == 0 {
                    var value: eventfd_t = 0
                    unsafe eventfd_read(self.event, &value)
                    report(.woken)
                } else {
                    let writable = unsafe event.events & EPOLLOUT.rawValue != 0
                    let readable = unsafe event.events & ~EPOLLOUT.rawValue != 0
                    report(.ready(id: id, readable: readable, writable: writable))
                }
            }
        }
    }
}
