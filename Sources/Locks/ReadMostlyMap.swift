/// A dictionary that is read often and changed rarely.
///
/// A thread reads values that it has read before without the lock that all threads share.
public final class ReadMostlyMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline let shared = Locked<[Key: Value]>([:])
    @usableFromInline let copies = Striped<[Key: Value]>([:])

    /// Creates an empty map.
    public init() {}

    /// The value of a key.
    ///
    /// Inlined, because a look-up in generic code costs 2,000 instructions more.
    @inlinable
    public subscript(key: Key) -> Value? {
        if let known = copies.withCurrent({ $0[key] }) { return known }
        return shared.withLock { shared in
            guard let value = shared[key] else { return nil }
            copies.withCurrent { $0[key] = value }
            return value
        }
    }

    /// The number of values.
    public var count: Int { shared.withLock { $0.count } }

    /// All keys with their values.
    public var entries: [Key: Value] { shared.withLock(\.self) }

    /// All values.
    public var values: [Value] { shared.withLock { Array($0.values) } }

    /// Inserts a value, unless there is one.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - key: The key.
    /// - Returns: The value that the map has now.
    @discardableResult
    public func insert(_ value: Value, for key: Key) -> Value {
        shared.withLock { shared in
            let present = shared[key] ?? value
            shared[key] = present
            return present
        }
    }

    /// Sets the value of a key, for all threads.
    public func update(_ value: Value, for key: Key) {
        shared.withLock { shared in
            copies.updateAll { $0[key] = nil }
            shared[key] = value
        }
    }

    /// Removes all values.
    public func removeAll() {
        shared.withLock { shared in
            copies.updateAll { $0.removeAll() }
            shared.removeAll()
        }
    }

    /// Removes and returns a value.
    @discardableResult
    public func removeValue(for key: Key) -> Value? {
        shared.withLock { shared in
            copies.updateAll { $0[key] = nil }
            return shared.removeValue(forKey: key)
        }
    }
}
