import CoreMetrics
import Locks
import NIOCore
import Synchronization

/// The open connections of a server, whose number is limited.
///
/// A connection beyond the limit takes the place of the connection that has been idle for the longest time.
final class OpenConnections: Sendable {
    /// One open connection.
    final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// The time since which the connection is idle, in nanoseconds.
        ///
        /// 0 for a busy one.
        fileprivate let idleSince = Atomic<UInt64>(0)

        fileprivate init(_ channel: any Channel) { self.channel = channel }

        /// Notes that the connection waits for a request.
        func becameIdle(at now: NIODeadline) { idleSince.store(max(1, now.uptimeNanoseconds), ordering: .relaxed) }

        /// Notes that the connection has a request.
        func becameBusy() { idleSince.store(0, ordering: .relaxed) }
    }

    /// The event that asks a connection to close if it is still idle.
    struct MakeRoom {}

    private let limit: Int
    /// The connections beyond the limit that may exist for the moment in which others are closed.
    private let tolerance: Int
    private let entries = Locked<[ObjectIdentifier: Entry]>([:])
    private let closed: [ConnectionState.Reason: Counter]
    private let refused: Counter

    init(limit: Int, _ factory: any MetricsFactory) {
        self.limit = limit
        tolerance = max(4, limit / 16)
        func counter(_ reason: String) -> Counter {
            Counter(
                label: "mortise_http_connections_closed_total",
                dimensions: [("reason", reason)],
                factory: factory
            )
        }
        closed = Dictionary(uniqueKeysWithValues: ConnectionState.Reason.allCases.map { ($0, counter($0.rawValue)) })
        refused = counter("refused")
    }

    /// The number of open connections.
    var count: Int { entries.withLock { $0.count } }

    /// Adds a connection, and asks the longest idle one to close if there are too many.
    ///
    /// - Returns: The entry, or `nil` if there are too many connections and none of them is idle.
    func add(_ channel: any Channel) -> Entry? {
        let entry = Entry(channel)
        let (isAdded, victim) = entries.withLock { entries -> (Bool, Entry?) in
            var victim: Entry?
            if entries.count >= limit {
                victim = Self.claimLongestIdle(entries.values)
                if victim == nil || entries.count >= limit + tolerance { return (false, victim) }
            }
            entries[ObjectIdentifier(entry)] = entry
            return (true, victim)
        }
        victim?.channel.pipeline.fireUserInboundEventTriggered(MakeRoom())
        guard isAdded else {
            refused.increment()
            return nil
        }
        return entry
    }

    /// Removes a connection that has closed.
    func remove(_ entry: Entry) {
        entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(entry)) }
    }

    /// Counts a connection that the server closes.
    func count(_ reason: ConnectionState.Reason) { closed[reason]?.increment() }

    /// Returns the entry that has been idle for the longest time, which then counts as busy.
    private static func claimLongestIdle(_ entries: some Sequence<Entry>) -> Entry? {
        var longest: (entry: Entry, since: UInt64)?
        for entry in entries {
            let since = entry.idleSince.load(ordering: .relaxed)
            if since != 0, since < longest?.since ?? .max { longest = (entry, since) }
        }
        longest?.entry.becameBusy()
        return longest?.entry
    }

    /// The texts of the `HELP` lines.
    static let help = [
        "mortise_http_connections_closed_total":
            "Connections that the server closed or refused, by reason: idle, head, body, answer, room or refused."
    ]
}
