import FoundationEssentials
import JSON

extension Transport {
    /// A list of the native API.
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

extension JSONObject {
    /// Adds a member for what is there.
    mutating func add(_ name: String, _ text: String?) {
        if let text { self[name] = .string(text) }
    }

    /// Adds a member for what is there.
    mutating func add(_ name: String, _ number: Int?) {
        if let number { self[name] = .integer(Int64(number)) }
    }

    /// Adds a member for what is there.
    mutating func add(_ name: String, _ texts: [String]?) {
        if let texts { self[name] = texts.json }
    }

    /// Adds a member for what is there.
    mutating func add(_ name: String, _ date: Date?) {
        if let date { self[name] = .string(date.rfc3339) }
    }

    /// Adds a member for a change.
    mutating func add<Value>(_ name: String, _ change: Change<Value>, _ encode: (Value) -> JSONValue) {
        if let value = change.member(encode) { self[name] = value }
    }
}
