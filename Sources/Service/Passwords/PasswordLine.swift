import Keys

/// Who hashes a password at the moment, and who waits for it: a value that is told what happens and says who comes next.
struct PasswordLine<Waiter> {
    /// What becomes of somebody who comes.
    enum Entry {
        /// It is their turn.
        case admitted
        /// They wait until `leave` hands them a place.
        case waiting
        /// There is no room, for them or at all.
        case refused
    }

    private let width: Int
    private let capacity: Int
    private let perNetwork: Int
    private var running = 0
    private var waiting: [(id: UInt64, network: IPAddress?, waiter: Waiter)] = []
    /// How many run or wait, by network.
    private var places: [IPAddress: Int] = [:]

    /// - Parameters:
    ///   - width: how many run at once.
    ///   - capacity: how many wait.
    ///   - perNetwork: how many of those come from one network.
    init(width: Int, capacity: Int, perNetwork: Int) {
        self.width = width
        self.capacity = capacity
        self.perNetwork = perNetwork
    }

    /// Lets somebody in, or in line.
    ///
    /// - Parameters:
    ///   - id: names them, for `cancel`.
    ///   - network: where they come from; who comes from nowhere, as the program itself does, is not counted.
    ///   - waiter: what `leave` or `cancel` returns.
    /// - Returns: what becomes of them; nothing is kept of who is not let in.
    mutating func enter(_ id: UInt64, from network: IPAddress?, _ waiter: Waiter) -> Entry {
        if let network, places[network, default: 0] >= perNetwork { return .refused }
        guard running < width || waiting.count < capacity else { return .refused }
        if let network { places[network, default: 0] += 1 }
        if running < width {
            running += 1
            return .admitted
        }
        waiting.append((id, network, waiter))
        return .waiting
    }

    /// Takes somebody out of the line; `nil` for who does not wait.
    mutating func cancel(_ id: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let gone = waiting.remove(at: index)
        free(gone.network)
        return gone.waiter
    }

    /// Hands the place of who is done to whoever has waited longest.
    mutating func leave(from network: IPAddress?) -> Waiter? {
        free(network)
        guard !waiting.isEmpty else {
            running -= 1
            return nil
        }
        return waiting.removeFirst().waiter
    }

    private mutating func free(_ network: IPAddress?) {
        guard let network, let count = places[network] else { return }
        places[network] = count > 1 ? count - 1 : nil
    }
}
