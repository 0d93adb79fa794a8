import Locks

/// A dictionary that is read often and changed rarely.
///
/// A thread reads values that it has read before without the lock that all threads share.
final class ReadMostlyMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let shared = Locked<[Key: Value]>([:])
    private let copies = Striped<[Key: Value]>([:])

    /// The value of a key.
    subscript(key: Key) -> Value? {
        if let known = copies.withCurrent({ $0[key] }) { return known }
        return shared.withLock { shared in
            guard let value = shared[key] else { return nil }
            copies.withCurrent { $0[key] = value }
            return value
        }
    }

    /// All values.
    var values: [Value] { shared.withLock { Array($0.values) } }

    /// Inserts a value, unless there is one.
    ///
    /// - Returns: The value that the map has now.
    @discardableResult
    func insert(_ value: Value, for key: Key) -> Value {
        shared.withLock { shared in
            let present = shared[key] ?? value
            shared[key] = present
            return present
        }
    }

    /// Removes and returns a value.
    @discardableResult
    func removeValue(for key: Key) -> Value? {
        shared.withLock { shared in
            copies.updateAll { $0[key] = nil }
            return shared.removeValue(forKey: key)
        }
    }
}
