extension PageSequence {
    /// An iterator over the items of a list, which reads the pages.
    public struct Iterator: AsyncIteratorProtocol {
        /// The part of the list that is not read yet.
        private enum Rest {
            /// The page with this cursor and all pages after it; `nil` is the cursor of the first page.
            case pages(from: String?)
            /// No page.
            case nothing
        }

        private let sequence: PageSequence
        private var items: ArraySlice<Item> = []
        private var rest: Rest

        init(sequence: PageSequence) {
            self.sequence = sequence
            rest = .pages(from: sequence.start)
        }

        /// Returns the next item, or `nil` after the last one.
        ///
        /// - Returns: The next item.
        /// - Throws: ``MortiseError`` if the next page cannot be read.
        public mutating func next() async throws(MortiseError) -> Item? {
            try await next(isolation: #isolation)
        }

        /// Returns the next item, or `nil` after the last one, without leaving the actor of the caller.
        ///
        /// - Parameter actor: The actor of the caller.
        /// - Returns: The next item.
        /// - Throws: ``MortiseError`` if the next page cannot be read.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(MortiseError) -> Item? {
            while items.isEmpty {
                guard case .pages(let cursor) = rest else { return nil }
                let page = try await sequence.page(at: cursor)
                items = page.items[...]
                rest = if let next = page.next { .pages(from: next) } else { .nothing }
            }
            return items.popFirst()
        }
    }
}
