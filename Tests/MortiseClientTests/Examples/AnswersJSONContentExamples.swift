import MortiseClient

/// The examples in `JSONContent.swift`.
enum AnswersJSONContentExamples {
    static func example1() {
        let metadata: [String: JSONContent] = ["plan": "pro", "seats": 5, "beta": true]
        print(metadata.count)
    }
}
