package import JSON

/// Any JSON value: what the metadata of a key and the claims of a Clerk key are made of.
///
/// ```swift
/// func shown(_ content: JSONContent) -> String {
///     switch content {
///     case .null: "nothing"
///     case .bool(let isTrue): isTrue ? "yes" : "no"
///     case .integer(let number): "\(number)"
///     case .number(let number): "about \(number)"
///     case .string(let text): text
///     case .array(let elements): elements.map(shown).joined(separator: ", ")
///     case .object(let members): members.keys.sorted().joined(separator: ", ")
///     }
/// }
/// let metadata: [String: JSONContent] = ["plan": "pro", "seats": 5, "beta": true]
/// print(metadata.mapValues(shown))
/// ```
public enum JSONContent: Sendable, Hashable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number that is an integer of 64 bits.
    case integer(Int64)
    /// Any other number, as the nearest that a `Double` holds.
    case number(Double)
    /// Text.
    case string(String)
    /// An ordered list.
    case array([JSONContent])
    /// Members; their order is of no significance.
    case object([String: JSONContent])
}

extension JSONContent {
    /// Converts a JSON value.
    ///
    /// A number that is no 64-bit integer becomes the nearest `Double`.
    package init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let number):
            if let whole = number.int64 { self = .integer(whole) } else { self = .number(number.double ?? 0) }
        case .string(let text): self = .string(text)
        case .array(let elements): self = .array(elements.map(JSONContent.init))
        case .object(let object):
            self = .object(Dictionary(object.members.map { ($0.name, JSONContent($0.value)) }) { first, _ in first })
        }
    }

    /// The value for the wire; infinities and NaN, which JSON lacks, become `null`.
    var value: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): JSONNumber(value).map(JSONValue.number) ?? .null
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map(\.value))
        case .object(let members): .object(JSONContent.object(members))
        }
    }

    /// The members in the order of their names, so that the same content is the same bytes: an idempotency key goes
    /// with one body.
    static func object(_ members: [String: JSONContent]) -> JSONObject {
        JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })
    }
}

extension JSONContent: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes `null`.
    public init(nilLiteral: ()) { self = .null }

    /// Makes `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Makes an integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// Makes a number.
    public init(floatLiteral value: Double) { self = .number(value) }

    /// Makes text.
    public init(stringLiteral value: String) { self = .string(value) }

    /// Makes a list.
    public init(arrayLiteral elements: JSONContent...) { self = .array(elements) }

    /// Makes an object; of members with the same name the first stays.
    public init(dictionaryLiteral elements: (String, JSONContent)...) {
        self = .object(Dictionary(elements) { first, _ in first })
    }
}
