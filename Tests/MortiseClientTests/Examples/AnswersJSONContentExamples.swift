import MortiseClient

/// The examples in `JSONContent.swift`.
enum AnswersJSONContentExamples {
    static func example1() {
        func shown(_ content: JSONContent) -> String {
            switch content {
            case .null: "nothing"
            case .bool(let isTrue): isTrue ? "yes" : "no"
            case .integer(let number): "\(number)"
            case .number(let number): "about \(number)"
            case .string(let text): text
            case .array(let elements): elements.map(shown).joined(separator: ", ")
            case .object(let members): members.keys.sorted().joined(separator: ", ")
            }
        }
        let metadata: [String: JSONContent] = ["plan": "pro", "seats": 5, "beta": true]
        print(metadata.mapValues(shown))
    }
}
