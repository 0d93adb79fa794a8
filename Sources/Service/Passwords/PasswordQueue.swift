import Keys

/// The passwords that are being hashed, and the queue of those that wait.
///
/// A value: it is told what happens and says which waiter comes next.
struct PasswordQueue<Waiter> {
    /// The result of entering the queue.
    enum Entry {
        /// The work can begin.
        case admitted
        /// The work waits until `leave` hands it a slot.
        case waiting
        /// The queue is full, or the network has its share of it.
        case refused
    }

    private let width: Int
    private let capacity: Int
    private let perNetwork: Int
    private var running = 0
    private var waiting: [(id: UInt64, network: IPAddress?, waiter: Waiter)] = []
    /// The number of running and waiting entries, by network.
    private var entries: [IPAddress: Int] = [:]

    /// Creates an empty queue.
    ///
    /// - Parameters:
    ///   - width: The maximum number that run at once.
    ///   - capacity: The maximum number that wait.
    ///   - perNetwork: The maximum number of both from one network.
    init(width: Int, capacity: Int, perNetwork: Int) {
        self.width = width
        self.capacity = capacity
        self.perNetwork = perNetwork
    }

    /// Enters the queue.
    ///
    /// - Parameters:
    ///   - id: The entry's id, for `cancel`.
    ///   - network: The network of the request; `nil` for the program itself, which no limit applies to.
    ///   - waiter: The value that `leave` or `cancel` returns.
    /// - Returns: The result. A refused entry is not kept.
    mutating func enter(_ id: UInt64, from network: IPAddress?, _ waiter: Waiter) -> Entry {
        if let network, entries[network, default: 0] >= perNetwork { return .refused }
        guard running < width || waiting.count < capacity else { return .refused }
        if let network { entries[network, default: 0] += 1 }
        if running < width {
            running += 1
            return .admitted
        }
        waiting.append((id, network, waiter))
        return .waiting
    }

    /// Removes a waiting entry, or returns `nil` if the entry does not wait.
    mutating func cancel(_ id: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let removed = waiting.remove(at: index)
        release(removed.network)
        return removed.waiter
    }

    /// Ends running work and hands its slot to the entry that has waited longest.
    mutating func leave(from network: IPAddress?) -> Waiter? {
        release(network)
        guard !waiting.isEmpty else {
            running -= 1
            return nil
        }
        return waiting.removeFirst().waiter
    }

    private mutating func release(_ network: IPAddress?) {
        guard let network, let count = entries[network] else { return }
        entries[network] = count > 1 ? count - 1 : nil
    }
}
