/// One page of a list.
public struct Page<Item: Sendable>: Sendable {
    /// The items, in the order of the list.
    public let items: [Item]
    /// The cursor of the next page, or `nil` on the last page.
    public let next: String?
}
