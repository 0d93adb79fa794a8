/// A list that is read page by page while it is iterated.
///
/// Creating the sequence sends nothing. Iterating reads the first page, and each further page when the items of the
/// page before it are used up. Each page is one call: it can be retried and has its own timeout. Each iteration reads
/// the list again.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "pages")
///
/// Iterating throws ``MortiseError``, with the reason ``MortiseError/Reason/cancelled`` if its task is cancelled.
public struct PageSequence<Item: Sendable>: AsyncSequence, Sendable {
    /// The error of a call that reads a page.
    public typealias Failure = MortiseError
    /// An item of the list.
    public typealias Element = Item

    let start: String?
    let read: @Sendable (_ cursor: String?) async throws(MortiseError) -> Page<Item>

    /// Reads the first page only.
    ///
    /// - Returns: The first page, with the cursor of the next.
    /// - Throws: ``MortiseError`` if the page cannot be read.
    public func firstPage() async throws(MortiseError) -> Page<Item> { try await read(start) }

    /// Reads the whole list.
    ///
    /// Use it for lists that are known to be short.
    ///
    /// - Returns: The items of all pages.
    /// - Throws: ``MortiseError`` if a page cannot be read.
    public func all() async throws(MortiseError) -> [Item] {
        var items: [Item] = []
        for try await item in self { items.append(item) }
        return items
    }

    /// Creates an iterator that begins with the first page.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }
}
