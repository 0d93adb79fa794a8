extension Transport {
    /// Returns a list of the native API, which sends nothing before it is iterated.
    func list<Item: AnswerReadable>(
        _ path: [String],
        _ filters: [(name: String, value: String?)],
        limit: Int
    ) -> PageSequence<Item> {
        let query = filters.compactMap { filter in filter.value.map { (name: filter.name, value: $0) } }
        return PageSequence(start: nil) { cursor throws(MortiseError) in
            var query = query
            query.append(("limit", "\(limit)"))
            if let cursor { query.append(("cursor", cursor)) }
            return try await read(.get(path, query: query)) { body throws(AnswerFault) in
                let answer = try AnswerReader(body)
                return Page(items: try answer.objects("data"), next: try answer.textIfAny("next_cursor"))
            }
        }
    }
}
