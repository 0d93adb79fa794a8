extension Clerk {
    /// One page of a list, with the length of the whole list.
    public struct PaginatedResponse<Item: Sendable & Hashable>: Sendable, Hashable {
        /// The items of the page.
        public let data: [Item]
        /// The number of items on all pages.
        public let totalCount: Int
    }
}

extension Clerk.PaginatedResponse: AnswerReadable where Item: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        data = try answer.objects("data")
        totalCount = try answer.integer("total_count")
    }
}
