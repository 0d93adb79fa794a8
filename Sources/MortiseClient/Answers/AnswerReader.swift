import FoundationEssentials
import JSON

/// What can be read from an object of an answer.
protocol AnswerReadable: Sendable {
    init(_ answer: AnswerReader) throws(AnswerFault)
}

/// Why an answer is not what it should be; it quotes names, never values.
struct AnswerFault: Error {
    let place: String
    let expected: String

    var sentence: String { "\(place.isEmpty ? "the whole" : place) is not \(expected)" }
}

/// Reads the members of one object of an answer.
///
/// Members that the client does not know are passed over, so that a newer server does not break an older client. A
/// member that is absent counts as `null`.
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
        guard let text = value.string else { throw fault(name, "text") }
        return text
    }

    func text(_ name: String) throws(AnswerFault) -> String {
        guard let text = try textIfAny(name) else { throw fault(name, "text") }
        return text
    }

    func token(_ name: String) throws(AnswerFault) -> SecretToken {
        SecretToken(try text(name))
    }

    func texts(_ name: String) throws(AnswerFault) -> [String] {
        guard let texts = try textsIfAny(name) else { throw fault(name, "a list") }
        return texts
    }

    func textsIfAny(_ name: String) throws(AnswerFault) -> [String]? {
        guard let value = present(name) else { return nil }
        guard let elements = value.array else { throw fault(name, "a list") }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else { throw fault(name, "a list of texts") }
            texts.append(text)
        }
        return texts
    }

    func bool(_ name: String) throws(AnswerFault) -> Bool {
        guard let value = object[name]?.bool else { throw fault(name, "true or false") }
        return value
    }

    func integerIfAny(_ name: String) throws(AnswerFault) -> Int? {
        guard let value = present(name) else { return nil }
        guard let number = value.number?.int64 else { throw fault(name, "an integer") }
        return Int(number)
    }

    func integer(_ name: String) throws(AnswerFault) -> Int {
        guard let number = try integerIfAny(name) else { throw fault(name, "an integer") }
        return number
    }

    /// A time as RFC 3339 writes it.
    func timeIfAny(_ name: String) throws(AnswerFault) -> Date? {
        guard let text = try textIfAny(name) else { return nil }
        guard let date = Date(rfc3339: text) else { throw fault(name, "a time") }
        return date
    }

    func time(_ name: String) throws(AnswerFault) -> Date {
        guard let date = try timeIfAny(name) else { throw fault(name, "a time") }
        return date
    }

    /// A time as milliseconds since 1970.
    func millisecondsIfAny(_ name: String) throws(AnswerFault) -> Date? {
        guard let value = present(name) else { return nil }
        guard let number = value.number?.double else { throw fault(name, "a time") }
        return Date(timeIntervalSince1970: number / 1000)
    }

    func milliseconds(_ name: String) throws(AnswerFault) -> Date {
        guard let date = try millisecondsIfAny(name) else { throw fault(name, "a time") }
        return date
    }

    /// Any JSON.
    func content(_ name: String) -> JSONContent? {
        present(name).map(JSONContent.init)
    }

    /// An object of text, number and whatever else.
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
        guard let elements = value?.array else { throw AnswerFault(place: place, expected: "a list") }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            values.append(try Value(AnswerReader(element, at: "\(place)/\(index)")))
        }
        return values
    }
}
