import Console
import Endpoints
import JSON
import Keys

extension FuzzTarget {
    static func checkForm(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let fields = FormFields(query: input.text)
        try require(isSame(FormFields(query: fields.text).fields, fields.fields), "written fields are read back")
        // Attack: somebody who sees the address of a page finds a token in it.
        if let shortened = fields.withoutTokens {
            for field in FormFields(query: String(shortened.dropFirst())).fields {
                try require((try? Token(field.value)) == nil, "no value of a search is a token")
            }
        }
        try checkBody(input, fields)
    }

    private static func checkBody(
        _ input: UnsafeBufferPointer<UInt8>,
        _ fields: FormFields
    ) throws(BrokenProperty) {
        var faults: [Fault] = []
        let object = try unwrap(FormDecoding.object(input, &faults).object, "a form is an object")
        try require(faults.count <= 1, "the first fault ends the reading")
        try require(object.count <= FormDecoding.maximumCount, "the number of fields is bounded")
        guard faults.isEmpty else { return }
        let pairs = object.members.map { (name: $0.name, value: $0.value.string ?? "") }
        let text = pairs.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        let again = FormDecoding.object(text.utf8, &faults).object
        try require(faults.isEmpty, "a written form is accepted")
        try require(again == object, "a written form is read back")
        // PostgreSQL stores no text with a zero. A body with one gets a fault of its schema, and a page does without the field.
        let readable = pairs.filter { !$0.value.utf8.contains(0) }
        try require(isSame(fields.fields, readable), "both readers of forms agree")
    }

    /// Returns true if two lists have the same bytes.
    static func isSame(_ left: [(name: String, value: String)], _ right: [(name: String, value: String)]) -> Bool {
        left.elementsEqual(right) { one, other in
            one.name.utf8.elementsEqual(other.name.utf8) && one.value.utf8.elementsEqual(other.value.utf8)
        }
    }
}
