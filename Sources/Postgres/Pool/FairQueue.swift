import DequeModule

/// Elements that wait, each on behalf of an owner: first come first served for one owner, and several owners take turns.
///
/// An owner that joins, or whose first element was served, has its turn after those of all other owners. So an owner waits for one element
/// of each other owner, however many these have.
package struct FairQueue<Owner: Hashable, Element> {
    /// The elements of each owner that has some, in the order of their arrival.
    private var lines: [Owner: Deque<Element>] = [:]
    /// The owners that have elements, in the order of their turns.
    private var turns: Deque<Owner> = []
    /// The number of all elements.
    package private(set) var count = 0

    /// Creates an empty queue.
    package init() {}

    /// True if nothing waits.
    package var isEmpty: Bool { count == 0 }

    /// The number of an owner's elements.
    package func count(of owner: Owner) -> Int { lines[owner]?.count ?? 0 }

    /// Adds an element at the end of its owner's.
    package mutating func append(_ element: Element, of owner: Owner) {
        if lines[owner] == nil { turns.append(owner) }
        lines[owner, default: []].append(element)
        count += 1
    }

    /// Returns the owner with the smallest share, and among several the one whose turn is first.
    ///
    /// - Parameter share: Returns an owner's share; `nil` for an owner that is left out.
    /// - Returns: The owner, or `nil` if all are left out.
    package func next(by share: (Owner) -> Int?) -> Owner? {
        var best: (owner: Owner, share: Int)?
        for owner in turns {
            guard let share = share(owner) else { continue }
            if let best, best.share <= share { continue }
            best = (owner, share)
        }
        return best?.owner
    }

    /// Removes and returns the element whose turn it is.
    package mutating func removeFirst() -> Element? {
        guard let owner = turns.first else { return nil }
        return removeFirst(of: owner)
    }

    /// Removes and returns the first element of an owner, which uses up the owner's turn.
    package mutating func removeFirst(of owner: Owner) -> Element? {
        guard let element = remove(of: owner, at: \.startIndex) else { return nil }
        if lines[owner] != nil, let turn = turns.firstIndex(of: owner) {
            turns.remove(at: turn)
            turns.append(owner)
        }
        return element
    }

    /// Removes and returns the last element of the owner that has the most, if those are more than `number`.
    package mutating func removeLast(ofMoreThan number: Int) -> Element? {
        guard let owner = turns.max(by: { count(of: $0) < count(of: $1) }), count(of: owner) > number else {
            return nil
        }
        return remove(of: owner) { $0.endIndex - 1 }
    }

    /// Removes and returns the first element that meets a condition, of any owner.
    package mutating func removeFirst(where isWanted: (Element) -> Bool) -> Element? {
        for owner in turns {
            if let element = remove(of: owner, at: { $0.firstIndex(where: isWanted) }) { return element }
        }
        return nil
    }

    /// Removes and returns the first element of an owner that meets a condition.
    package mutating func removeFirst(of owner: Owner, where isWanted: (Element) -> Bool) -> Element? {
        remove(of: owner) { $0.firstIndex(where: isWanted) }
    }

    /// Removes and returns the elements that meet a condition.
    package mutating func removeAll(where isUnwanted: (Element) -> Bool = { _ in true }) -> [Element] {
        var removed: [Element] = []
        for owner in turns {
            guard let line = lines[owner], line.contains(where: isUnwanted) else { continue }
            removed += line.filter(isUnwanted)
            let others = line.filter { !isUnwanted($0) }
            lines[owner] = others.isEmpty ? nil : others
        }
        turns = turns.filter { lines[$0] != nil }
        count -= removed.count
        return removed
    }

    /// Removes an element, and the turn of an owner without further ones.
    private mutating func remove(of owner: Owner, at position: (Deque<Element>) -> Int?) -> Element? {
        guard let index = lines[owner].flatMap(position), let element = lines[owner]?.remove(at: index) else {
            return nil
        }
        count -= 1
        if lines[owner]?.isEmpty == true {
            lines[owner] = nil
            if let turn = turns.firstIndex(of: owner) { turns.remove(at: turn) }
        }
        return element
    }
}

extension FairQueue: Sendable where Owner: Sendable, Element: Sendable {}
