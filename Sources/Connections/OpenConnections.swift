package import CoreMetrics
import Locks
package import NIOCore
import Synchronization

/// The open connections of a server, whose number is limited.
///
/// A connection beyond the limit takes the place of the connection that has been idle for the longest time.
package final class OpenConnections: Sendable {
    /// One open connection.
    package final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// The time since which the connection is idle, in nanoseconds.
        ///
        /// 0 for a busy one.
        fileprivate let idleSince = Atomic<UInt64>(0)

        fileprivate init(_ channel: any Channel) { self.channel = channel }

        /// Notes that the connection waits for a request.
        package func becameIdle(at now: NIODeadline) {
            idleSince.store(max(1, now.uptimeNanoseconds), ordering: .relaxed)
        }

        /// Notes that the connection has a request.
        package func becameBusy() { idleSince.store(0, ordering: .relaxed) }

        /// Makes a connection busy that is still idle since a time.
        ///
        /// - Returns: False if it had a request meanwhile.
        fileprivate func claim(idleSince since: UInt64) -> Bool {
            idleSince.compareExchange(expected: since, desired: 0, ordering: .relaxed).exchanged
        }

        fileprivate func ask(_ request: Request) { channel.pipeline.fireUserInboundEventTriggered(request) }
    }

    /// An event that asks a connection for something.
    package enum Request {
        /// Close if the connection is still idle.
        case makeRoom
        /// End after the current or next answer.
        case drain
        /// Cancel the request, and close.
        case abort
    }

    private enum Phase {
        case accepting
        /// The listener has closed.
        case draining
        /// The last connection has ended.
        case over
    }

    private struct State {
        var phase = Phase.accepting
        var entries: [ObjectIdentifier: Entry] = [:]
        /// The connections that were idle longest at the last look at all of them, with that time, the longest idle one last.
        var candidates: [(entry: Entry, since: UInt64)] = []
        var waiter: CheckedContinuation<Void, Never>?

        /// Returns the entry that has been idle for the longest time, which then counts as busy.
        ///
        /// A look at all connections serves many calls: a candidate that is still idle since then has been idle longer than all others.
        mutating func claimLongestIdle() -> (entry: Entry, since: UInt64)? {
            while true {
                while let candidate = candidates.popLast() {
                    let (entry, since) = candidate
                    if entries[ObjectIdentifier(entry)] === entry, entry.claim(idleSince: since) { return candidate }
                }
                candidates = longestIdle
                if candidates.isEmpty { return nil }
            }
        }

        /// The connections that are idle longest, the longest idle one last.
        ///
        /// All threads wait for the look at all connections, so it sorts only those that can be among the result.
        private var longestIdle: [(entry: Entry, since: UInt64)] {
            let maximum = OpenConnections.maximumCandidates
            var found: [(entry: Entry, since: UInt64)] = []
            found.reserveCapacity(2 * maximum)
            var bound = UInt64.max
            for entry in entries.values {
                let since = entry.idleSince.load(ordering: .relaxed)
                guard since != 0, since < bound else { continue }
                found.append((entry, since))
                guard found.count == 2 * maximum else { continue }
                found.sort { $0.since > $1.since }
                found.removeFirst(maximum)
                bound = found[0].since
            }
            found.sort { $0.since > $1.since }
            return Array(found.suffix(maximum))
        }

        /// Returns the waiter if the last connection of a closed listener has ended.
        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            guard phase != .accepting, entries.isEmpty else { return nil }
            phase = .over
            return waiter.take()
        }
    }

    private static let maximumCandidates = 256
    /// The idle time below which a connection is still in use.
    private static let settling = TimeAmount.seconds(10)
    /// The time after an eviction of a connection in use, or a refusal for lack of an idle one, in which the listener is contested.
    private static let contention = TimeAmount.seconds(1)

    private let limit: Int
    /// The connections beyond the limit that may exist for the moment in which others are closed.
    private let tolerance: Int
    private let state = Locked(State())
    /// The end of the time in which connections that are in use make room for others, in nanoseconds.
    private let contestedUntil = Atomic<UInt64>(0)
    private let closed: [CloseReason: Counter]
    private let refused: Counter

    /// Creates the set of a listener's connections.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of connections.
    ///   - label: The name of the metric that counts the closed ones.
    ///   - factory: The metrics.
    package init(
        limit: Int,
        label: String = "mortise_http_connections_closed_total",
        _ factory: any MetricsFactory
    ) {
        self.limit = limit
        tolerance = max(4, limit / 16)
        func counter(_ reason: String) -> Counter {
            Counter(
                label: label,
                dimensions: [("reason", reason)],
                factory: factory
            )
        }
        closed = Dictionary(uniqueKeysWithValues: CloseReason.allCases.map { ($0, counter($0.rawValue)) })
        refused = counter("refused")
    }

    /// The number of open connections.
    package var count: Int { state.withLock { $0.entries.count } }

    /// True after the listener has closed.
    package var isDraining: Bool { state.withLock { $0.phase != .accepting } }

    /// Adds a connection, and asks the longest idle one to close if there are too many.
    ///
    /// - Returns: The entry, or `nil` if there are too many connections and none of them is idle.
    package func add(_ channel: any Channel) -> Entry? {
        let entry = Entry(channel)
        let (isAdded, victim) = state.withLock { state -> (Bool, Entry?) in
            if state.phase == .over { return (false, nil) }
            var victim: Entry?
            if state.entries.count >= limit {
                let longestIdle = state.claimLongestIdle()
                victim = longestIdle?.entry
                noteEviction(idleSince: longestIdle.map { .uptimeNanoseconds($0.since) })
                if victim == nil || state.entries.count >= limit + tolerance { return (false, victim) }
            }
            state.entries[ObjectIdentifier(entry)] = entry
            return (true, victim)
        }
        victim?.ask(.makeRoom)
        guard isAdded else {
            refused.increment()
            return nil
        }
        return entry
    }

    /// Notes that a new connection needs the place of one that is idle since a time; `nil` if none is idle.
    private func noteEviction(idleSince since: NIODeadline?) {
        let now = NIODeadline.now()
        if let since, now - since >= Self.settling { return }
        contestedUntil.store((now + Self.contention).uptimeNanoseconds, ordering: .relaxed)
    }

    /// True if even the connection that was idle longest had a request a moment ago, or none is idle, and others still want its place.
    package func isContested(at now: NIODeadline) -> Bool {
        now.uptimeNanoseconds < contestedUntil.load(ordering: .relaxed)
    }

    /// Removes a connection that has closed, and whose request has ended.
    package func remove(_ entry: Entry) {
        state.withLock {
            $0.entries.removeValue(forKey: ObjectIdentifier(entry))
            if $0.entries.isEmpty { $0.candidates = [] }
            return $0.takeWaiter()
        }?
        .resume()
    }

    // MARK: The end

    /// Asks every connection to end after its last answer.
    package func drain() {
        let (entries, waiter) = state.withLock {
            if $0.phase == .accepting { $0.phase = .draining }
            return (Array($0.entries.values), $0.takeWaiter())
        }
        for entry in entries { entry.ask(.drain) }
        waiter?.resume()
    }

    /// Cancels every request, and closes every connection.
    package func abort() {
        for entry in state.withLock({ Array($0.entries.values) }) { entry.ask(.abort) }
    }

    /// Waits until the listener has closed, and all connections and their requests have ended.
    ///
    /// One task waits at a time. A cancellation has no effect; ``abort()`` brings the end.
    package func ended() async {
        await withCheckedContinuation { continuation in
            state.withLock {
                $0.waiter = continuation
                return $0.takeWaiter()
            }?
            .resume()
        }
    }

    /// Counts a connection that the server closes.
    package func count(_ reason: CloseReason) { closed[reason]?.increment() }

    /// The texts of the `HELP` lines.
    package static let help = [
        "mortise_http_connections_closed_total":
            "Connections that the server closed or refused, by reason: idle, head, body, answer, room, fault or refused.",
        "mortise_operations_connections_closed_total":
            "Connections that the listener for operators closed or refused, by the same reasons.",
    ]
}
