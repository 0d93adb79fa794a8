import FoundationEssentials
import KeyStore
import Keys

/// The counts that are not in the shards of a recorder any more: those that wait, and those that are being written.
///
/// One lock protects both, so that a reader finds a use in one of the two places.
struct UsageFlights {
    /// The databases that are written to together.
    ///
    /// Nothing else waits for them, and at most a few of them are written to at a time.
    struct Group: Hashable {
        /// The cluster; `nil` is the control database.
        let cluster: UUID?
        let part: UsageRecorder.Part
    }

    /// The counts of a group that are being written.
    struct Flight {
        let number: Int
        let part: UsageRecorder.Part
        let databases: [(database: UsageRecorder.Database, batches: [[UsageCount]])]
    }

    /// The uses that a flight is writing, by secret.
    private struct Uses {
        let group: Group
        /// The number of flushes that had begun when the flight ended; `nil` if it has not ended.
        ///
        /// The uses stay until another flush has ended: somebody can have read a row before it was written, and add its last use after
        /// that.
        var ended: Int?
        /// The last ones.
        var last: [UUID: KeyUse] = [:]
        /// The addresses besides that of the last use, which few secrets have.
        var otherAddresses: [UUID: Set<IPAddress>] = [:]

        init(_ group: Group) { self.group = group }

        mutating func add(_ count: UsageCount) {
            guard let use = count.lastUse else { return }
            last[count.secretID] = use
            if !count.otherAddresses.isEmpty { otherAddresses[count.secretID] = count.otherAddresses }
        }

        func addresses(of secret: UUID) -> Set<IPAddress> {
            let others = otherAddresses[secret] ?? []
            return last[secret]?.address.map { others.union([$0]) } ?? others
        }
    }

    /// The counts that wait.
    var backlog: UsageBacklog
    /// The number of flushes that have begun.
    private(set) var flushes = 0
    private var flights = 0
    private var uses: [Int: Uses] = [:]

    /// Creates the state of a recorder that has counted nothing.
    init(_ backlog: UsageBacklog) { self.backlog = backlog }

    /// The groups that are being written to.
    var busy: Set<Group> { Set(uses.values.lazy.filter { $0.ended == nil }.map(\.group)) }

    /// Notes the beginning of a flush.
    mutating func beginFlush() { flushes += 1 }

    /// Notes the beginning of a flight, and returns its number.
    mutating func begin(_ group: Group, _ counts: some Sequence<[UsageCount]>) -> Int {
        flights += 1
        var uses = Uses(group)
        for count in counts.joined() { uses.add(count) }
        self.uses[flights] = uses
        return flights
    }

    /// Notes the end of a flight.
    mutating func end(_ flight: Int) { uses[flight]?.ended = flushes }

    /// Forgets the uses of the flights that had ended before a flush began.
    mutating func forget(before flush: Int) {
        uses = uses.filter { $0.value.ended.map { $0 >= flush } ?? true }
    }

    /// Returns the last accepted use of a secret.
    func lastUse(of secret: UUID) -> KeyUse? {
        let waiting = backlog.counts(of: secret).compactMap(\.lastUse)
        return (waiting + uses.values.compactMap { $0.last[secret] }).reduce(nil, KeyUse.later)
    }

    /// Returns the addresses of the accepted uses of a secret.
    func addresses(of secret: UUID) -> Set<IPAddress> {
        let waiting = backlog.counts(of: secret).map(\.addresses)
        return (waiting + uses.values.map { $0.addresses(of: secret) }).reduce(into: []) { $0.formUnion($1) }
    }
}
