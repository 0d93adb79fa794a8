extension PageSequence {
    /// Reads one page of the list.
    ///
    /// - Parameter cursor: The `next` of the page before. `nil` reads the first page.
    /// - Returns: The page.
    /// - Throws: `MortiseError`, with the reason `.unexpectedAnswer` if the server answers with the same cursor again,
    ///   because a reader that followed it would never reach the end.
    public func page(at cursor: String?) async throws(MortiseError) -> Page<Item> {
        let cursor = cursor ?? start
        let page = try await read(cursor)
        guard page.next == nil || page.next != cursor else {
            throw MortiseError(
                .unexpectedAnswer,
                "The server returned the same page twice. The list is incomplete."
            )
        }
        return page
    }
}
