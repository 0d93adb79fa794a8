package import FoundationEssentials

/// The use that keys have made of their rate limits, in a bounded amount of memory.
///
/// A key has one group of eight slots. A new key takes an empty slot, or one whose usage is replenished, so nothing has to be
/// removed and no call scans the table. If all eight slots are in use, the table doubles, up to its bound. At the bound, the key
/// of the group that is replenished first loses its usage. It gets its limit back early, and no other key is affected.
package struct RateLimitTable: Sendable {
    /// A key and its usage, in 48 bytes.
    ///
    /// An empty slot is the key 0 without usage.
    private struct Slot {
        var key: UInt128 = 0
        var usage = RateLimits.Usage()
    }

    private static let slotsPerGroup = 8

    private var slots: [Slot]
    private let maximumSlots: Int
    private let seed: UInt64

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - maximumKeys: The largest number of keys, which is rounded up to a power of two and at least 8.
    ///   - seed: A random number. Without it, a client that chooses ids could bring many keys into one group.
    package init(maximumKeys: Int, seed: UInt64) {
        var slotCount = Self.slotsPerGroup
        while slotCount < maximumKeys { slotCount *= 2 }
        maximumSlots = slotCount
        slots = Array(repeating: Slot(), count: Self.slotsPerGroup)
        self.seed = seed
    }

    /// The number of keys for which the table has memory at present.
    package var capacity: Int { slots.count }

    /// Calls `body` with the usage of a key.
    ///
    /// - Parameters:
    ///   - id: The id of the key.
    ///   - now: The time in nanoseconds of a monotonic clock.
    ///   - body: Reads and changes the usage.
    /// - Returns: The value that `body` returned.
    package mutating func withUsage<Value>(
        of id: UUID,
        at now: Int64,
        _ body: (inout RateLimits.Usage) -> Value
    ) -> Value {
        let key = withUnsafeBytes(of: id.uuid) { $0.loadUnaligned(as: UInt128.self) }
        return body(&slots[slot(of: key, at: now)].usage)
    }

    /// Returns the slot of a key, and takes one if the key has none.
    private mutating func slot(of key: UInt128, at now: Int64) -> Int {
        while true {
            var oldest = firstSlot(of: key)
            for slot in oldest..<oldest + Self.slotsPerGroup {
                if slots[slot].key == key { return slot }
                if slots[slot].usage.replenishedAt < slots[oldest].usage.replenishedAt { oldest = slot }
            }
            if slots[oldest].usage.isReplenished(at: now) || slots.count == maximumSlots {
                slots[oldest] = Slot(key: key)
                return oldest
            }
            grow(at: now)
        }
    }

    /// Doubles the table.
    ///
    /// Each group is divided between two, so that no group of the new table has more than eight keys.
    private mutating func grow(at now: Int64) {
        let old = slots
        slots = Array(repeating: Slot(), count: 2 * old.count)
        for slot in old where !slot.usage.isReplenished(at: now) {
            var free = firstSlot(of: slot.key)
            while slots[free].key != 0 { free += 1 }
            slots[free] = slot
        }
    }

    /// Returns the first slot of a key's group.
    private func firstSlot(of key: UInt128) -> Int {
        // Both halves of the product depend on every bit of the key.
        let product = (UInt64(truncatingIfNeeded: key) ^ seed)
            .multipliedFullWidth(by: UInt64(truncatingIfNeeded: key >> 64) ^ ~seed)
        let hash = product.high ^ product.low
        return Int(truncatingIfNeeded: hash) & (slots.count / Self.slotsPerGroup - 1) * Self.slotsPerGroup
    }
}
