import Locks

/// A dictionary that is read often and changed rarely.
///
/// A thread reads values that it has read before without the lock that all threads share.
package final class ReadMostlyMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let shared = Locked<[Key: Value]>([:])
    private let copies = Striped<[Key: Value]>([:])

    /// Creates an empty map.
    package init() {}

    /// The value of a key.
    package subscript(key: Key) -> Value? {
        if let known = copies.withCurrent({ $0[key] }) { return known }
        return shared.withLock { shared in
            guard let value = shared[key] else { return nil }
            copies.withCurrent { $0[key] = value }
            return value
        }
    }

    /// The number of values.
    package var count: Int { shared.withLock { $0.count } }

    /// All keys with their values.
    var entries: [Key: Value] { shared.withLock(\.self) }

    /// All values.
    var values: [Value] { shared.withLock { Array($0.values) } }

    /// Inserts a value, unless there is one.
    ///
    /// - Returns: The value that the map has now.
    @discardableResult
    package func insert(_ value: Value, for key: Key) -> Value {
        shared.withLock { shared in
            let present = shared[key] ?? value
            shared[key] = present
            return present
        }
    }

    /// Removes all values.
    package func removeAll() {
        shared.withLock { shared in
            copies.updateAll { $0.removeAll() }
            shared.removeAll()
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
