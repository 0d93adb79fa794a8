/// A table of elements that numbers identify, for fast look-ups without hashing.
///
/// The number of a removed element is never valid again, although its slot is.
package struct SlotTable<Element> {
    private struct Slot {
        /// The number of times that the slot was reserved.
        var generation: UInt32 = 0
        var element: Element?
        var isMarked = false
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    package init() {}

    /// The elements, in no particular order.
    package var elements: [Element] { slots.compactMap(\.element) }
    /// True if there is no element.
    package var isEmpty: Bool { slots.allSatisfy { $0.element == nil } }

    /// Reserves a slot, and returns its number, which is never 0.
    package mutating func reserve() -> UInt64 {
        let index: UInt32
        if let last = free.popLast() {
            index = last
        } else {
            index = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(index)].generation &+= 1
        return UInt64(slots[Int(index)].generation) << 32 | UInt64(index) + 1
    }

    private func index(of id: UInt64) -> Int? {
        let index = Int(id & 0xFFFF_FFFF) - 1
        guard slots.indices.contains(index), slots[index].generation == UInt32(id >> 32) else { return nil }
        return index
    }

    /// The element with this number.
    package subscript(id: UInt64) -> Element? {
        get { index(of: id).flatMap { slots[$0].element } }
        set { if let index = index(of: id) { slots[index].element = newValue } }
    }

    /// Frees the slot with this number.
    package mutating func remove(_ id: UInt64) {
        guard let index = index(of: id) else { return }
        slots[index].element = nil
        slots[index].isMarked = false
        slots[index].generation &+= 1
        free.append(UInt32(index))
    }

    /// Marks an element.
    ///
    /// - Returns: False if the element is marked already, or does not exist.
    package mutating func mark(_ id: UInt64) -> Bool {
        guard let index = index(of: id), slots[index].element != nil, !slots[index].isMarked else { return false }
        slots[index].isMarked = true
        return true
    }

    /// Removes the mark of an element, and returns the element.
    package mutating func unmark(_ id: UInt64) -> Element? {
        guard let index = index(of: id) else { return nil }
        slots[index].isMarked = false
        return slots[index].element
    }
}
