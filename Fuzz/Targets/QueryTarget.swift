import Endpoints
import JSON

extension FuzzTarget {
    private static let querySchema = QuerySchema([
        .limit, .cursor,
        QueryParameter("type", .string(max: 64), "A text."),
        QueryParameter("tag", .string(max: 64), "A text that may be repeated.", repeated: true),
        QueryParameter("flag", .boolean, "A Boolean value."),
    ])

    static func checkQuery(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let (fields, faults) = querySchema.parse(input.text)
        try require(faults.count <= 100, "the number of faults is bounded")
        guard faults.isEmpty else { return }
        var pairs: [String] = []
        for member in fields.object.members {
            let values = member.value.array ?? [member.value]
            for value in values { pairs.append("\(encoded(member.name))=\(encoded(value.string ?? value.text))") }
        }
        let (again, newFaults) = querySchema.parse(pairs.joined(separator: "&"))
        try require(newFaults.isEmpty, "a written query is accepted")
        try require(again.object == fields.object, "a written query is read back")
        let (first, _) = querySchema.parse(pairs.joined(separator: "&&") + "&")
        try require(first.object == fields.object, "empty pairs change nothing")
    }

    /// Returns a text with every byte percent-encoded.
    static func encoded(_ text: String) -> String {
        text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
