import JSON

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A value that can be read from an object of a response.
protocol AnswerReadable: Sendable {
    init(_ answer: AnswerReader) throws(AnswerFault)
}

/// A member of a response that is missing or has the wrong type.
///
/// It quotes the name, never the value.
struct AnswerFault: Error {
    let place: String
    let expected: String

    /// A clause for an error message, such as `/data/0/status is not a string`.
    var clause: String { "\(place.isEmpty ? "the body" : place) is not \(expected)" }
}

/// Reads the members of one object of a response.
///
/// Unknown members are ignored, so that a newer server does not break an older client. An absent member counts as
/// `null`.
struct AnswerReader {
    let object: JSONObject
    private let place: String

    init(_ value: JSONValue?, at place: String = "") throws(AnswerFault) {
        guard let object = value?.object else { throw AnswerFault(place: place, expected: "an object") }
        self.object = object
        self.place = place
    }

    private func present(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    private func fault(_ name: String, _ expected: String) -> AnswerFault {
        AnswerFault(place: "\(place)/\(name)", expected: expected)
    }

    func textIfAny(_ name: String) throws(AnswerFault) -> String? {
        guard let value = present(name) else { return nil }
        guard let text = value.string else { throw fault(name, "a string") }
        return text
    }

    func text(_ name: String) throws(AnswerFault) -> String {
        guard let text = try textIfAny(name) else { throw fault(name, "a string") }
        return text
    }

    func token(_ name: String) throws(AnswerFault) -> SecretToken {
        SecretToken(try text(name))
    }

    func texts(_ name: String) throws(AnswerFault) -> [String] {
        guard let texts = try textsIfAny(name) else { throw fault(name, "an array") }
        return texts
    }

    func textsIfAny(_ name: String) throws(AnswerFault) -> [String]? {
        guard let value = present(name) else { return nil }
        guard let elements = value.array else { throw fault(name, "an array") }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else { throw fault(name, "an array of strings") }
            texts.append(text)
        }
        return texts
    }

    func bool(_ name: String) throws(AnswerFault) -> Bool {
        guard let value = object[name]?.bool else { throw fault(name, "true or false") }
        return value
    }

    func boolIfAny(_ name: String) throws(AnswerFault) -> Bool? {
        guard let value = present(name) else { return nil }
        guard let bool = value.bool else { throw fault(name, "true or false") }
        return bool
    }

    func integerIfAny(_ name: String) throws(AnswerFault) -> Int? {
        guard let value = present(name) else { return nil }
        guard let number = value.number?.int64 else { throw fault(name, "an integer") }
        return Int(number)
    }

    func integersIfAny(_ name: String) throws(AnswerFault) -> [Int]? {
        guard let value = present(name) else { return nil }
        guard let elements = value.array else { throw fault(name, "an array") }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.number?.int64 else { throw fault(name, "an array of integers") }
            numbers.append(Int(number))
        }
        return numbers
    }

    func integer(_ name: String) throws(AnswerFault) -> Int {
        guard let number = try integerIfAny(name) else { throw fault(name, "an integer") }
        return number
    }

    /// Returns the time of a member in the format of RFC 3339, or `nil` for `null`.
    func timeIfAny(_ name: String) throws(AnswerFault) -> Date? {
        guard let text = try textIfAny(name) else { return nil }
        guard let date = Date(rfc3339: text) else { throw fault(name, "a time") }
        return date
    }

    func time(_ name: String) throws(AnswerFault) -> Date {
        guard let date = try timeIfAny(name) else { throw fault(name, "a time") }
        return date
    }

    /// Returns the time of a member in milliseconds since 1970, or `nil` for `null`.
    func millisecondsIfAny(_ name: String) throws(AnswerFault) -> Date? {
        guard let value = present(name) else { return nil }
        guard let number = value.number?.double else { throw fault(name, "a time") }
        return Date(timeIntervalSince1970: number / 1000)
    }

    func milliseconds(_ name: String) throws(AnswerFault) -> Date {
        guard let date = try millisecondsIfAny(name) else { throw fault(name, "a time") }
        return date
    }

    /// Returns the JSON of a member, or `nil` for `null`.
    func content(_ name: String) -> JSONContent? {
        present(name).map(JSONContent.init)
    }

    /// Returns the members of an object, none for `null`.
    func contents(_ name: String) throws(AnswerFault) -> [String: JSONContent] {
        guard let value = present(name) else { return [:] }
        guard case .object(let members) = JSONContent(value) else { throw fault(name, "an object") }
        return members
    }

    func object<Value: AnswerReadable>(_ name: String) throws(AnswerFault) -> Value {
        try Value(AnswerReader(object[name], at: "\(place)/\(name)"))
    }

    func objectIfAny<Value: AnswerReadable>(_ name: String) throws(AnswerFault) -> Value? {
        guard let value = present(name) else { return nil }
        return try Value(AnswerReader(value, at: "\(place)/\(name)"))
    }

    func objects<Value: AnswerReadable>(_ name: String) throws(AnswerFault) -> [Value] {
        try AnswerReader.objects(object[name], at: "\(place)/\(name)")
    }

    static func objects<Value: AnswerReadable>(
        _ value: JSONValue?,
        at place: String = ""
    ) throws(AnswerFault) -> [Value] {
        guard let elements = value?.array else { throw AnswerFault(place: place, expected: "an array") }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            values.append(try Value(AnswerReader(element, at: "\(place)/\(index)")))
        }
        return values
    }
}
