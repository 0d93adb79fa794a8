import JSON

extension FuzzTarget {
    static func checkJSON(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        try checkParser(input)
        try checkString(input.text)
    }

    private static func checkParser(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        switch parse(input) {
        case .success(let value): try checkValue(value, input)
        case .failure(let error):
            try require((0...input.count).contains(error.offset), "a position lies in the input")
            try require(error.reason != .tooLarge || input.count > 65_536, "a large text is large")
        }
    }

    private static func parse(_ input: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONError> {
        do throws(JSONError) {
            return .success(try JSONValue(parsing: input))
        } catch {
            return .failure(error)
        }
    }

    private static func checkValue(_ value: JSONValue, _ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        try require(String(validating: input, as: UTF8.self) != nil, "accepted bytes are UTF-8")
        let text = value.text
        let again = try unwrap(
            try? JSONValue(parsing: text.utf8, limits: JSONLimits(maximumBytes: .max)),
            "a written text is parsed"
        )
        try require(again == value, "a written value is read back")
        try require(again.text == text, "a value has one text")
        try checkNumbers(value)
    }

    private static func checkNumbers(_ value: JSONValue) throws(BrokenProperty) {
        switch value {
        case .number(let number):
            if let integer = number.int64 {
                try require(number.double == Double(integer), "an integer is the double that is nearest to it")
            }
            try require(!number.isStorable || number.double != nil, "a number that can be stored is a double")
        case .array(let elements):
            for element in elements { try checkNumbers(element) }
        case .object(let object):
            for member in object.members {
                try require(object[member.name] == member.value, "no two members have the same name")
                try checkNumbers(member.value)
            }
        case .null, .bool, .string: break
        }
    }

    /// Checks that every text can be a string, whatever it contains.
    private static func checkString(_ text: String) throws(BrokenProperty) {
        let written = JSONValue.string(text).text
        let limits = JSONLimits(maximumBytes: .max)
        let again = try? JSONValue(parsing: written.utf8, limits: limits)
        try require(again == .string(text), "a string is read back")
        try require(written.utf8.allSatisfy { $0 >= 0x20 }, "control characters are escaped")
    }
}
