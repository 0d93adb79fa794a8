/// A part of a list, and what leads to the next.
///
/// ```swift
/// let page = try await client.workspaces.list(limit: 20).firstPage()
/// print(page.items.count, page.next ?? "that is all")
/// ```
public struct Page<Item: Sendable>: Sendable {
    /// The items, in the order of the list.
    public let items: [Item]
    /// Where the next page begins; `nil` after the last.
    public let next: String?
}

/// A list that is read page by page while it is iterated.
///
/// Each iteration begins anew. Nothing is read before the first item is asked for, and no page before the one in front of
/// it has been used up. Cancelling the task ends the iteration with the reason `.cancelled`.
///
/// ```swift
/// for try await workspace in client.workspaces.list() {
///     print(workspace.slug)
/// }
/// ```
public struct PageSequence<Item: Sendable>: AsyncSequence, Sendable {
    /// What can go wrong while the list is read.
    public typealias Failure = MortiseError
    /// What the list is made of.
    public typealias Element = Item

    let start: String?
    let read: @Sendable (_ cursor: String?) async throws(MortiseError) -> Page<Item>

    /// The first page alone.
    ///
    /// ```swift
    /// let newest = try await client.keys(.service(workspace: "shop")).list(limit: 5).firstPage().items
    /// print(newest.map(\.name))
    /// ```
    public func firstPage() async throws(MortiseError) -> Page<Item> { try await read(start) }

    /// Every item at once, for lists that are known to be short.
    ///
    /// ```swift
    /// let workspaces = try await client.workspaces.list().all()
    /// print(workspaces.count)
    /// ```
    public func all() async throws(MortiseError) -> [Item] {
        var items: [Item] = []
        for try await item in self { items.append(item) }
        return items
    }

    /// Begins to read the list.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self, cursor: start) }

    /// Reads the list.
    public struct Iterator: AsyncIteratorProtocol {
        private let sequence: PageSequence
        private var cursor: String?
        private var items: ArraySlice<Item> = []
        private var isAtEnd = false

        init(sequence: PageSequence, cursor: String?) {
            self.sequence = sequence
            self.cursor = cursor
        }

        /// The next item, or `nil` after the last.
        public mutating func next() async throws(MortiseError) -> Item? {
            try await next(isolation: #isolation)
        }

        /// The next item, or `nil` after the last, without leaving the caller's actor.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(MortiseError) -> Item? {
            while items.isEmpty {
                if isAtEnd { return nil }
                let page = try await sequence.page(at: cursor)
                items = page.items[...]
                cursor = page.next
                isAtEnd = page.next == nil
            }
            return items.popFirst()
        }
    }
}
