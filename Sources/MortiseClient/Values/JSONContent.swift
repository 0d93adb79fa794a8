package import JSON

/// A JSON value, such as the metadata of a key or the claims of a Clerk key.
///
/// Literals work: `["plan": "pro", "seats": 5, "beta": true]`.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "json")
public enum JSONContent: Sendable, Hashable {
    /// The literal `null`.
    case null
    /// The literal `true` or `false`.
    case bool(Bool)
    /// A number that is a 64-bit integer.
    case integer(Int64)
    /// Any other number, rounded to the nearest `Double`.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONContent])
    /// An object, whose members have no order.
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

    /// The value to send.
    ///
    /// Infinities and NaN become `null`, because JSON does not have them.
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

    /// Returns an object with the members in the order of their names.
    ///
    /// Equal content has to become equal bytes, because the server refuses an idempotency key with another body.
    static func object(_ members: [String: JSONContent]) -> JSONObject {
        JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })
    }
}

extension JSONContent: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Creates the literal `null`.
    public init(nilLiteral: ()) { self = .null }

    /// Creates the literal `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Creates an integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// Creates a number.
    public init(floatLiteral value: Double) { self = .number(value) }

    /// Creates a string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// Creates an array.
    public init(arrayLiteral elements: JSONContent...) { self = .array(elements) }

    /// Creates an object.
    ///
    /// The first of several members with one name is kept.
    public init(dictionaryLiteral elements: (String, JSONContent)...) {
        self = .object(Dictionary(elements) { first, _ in first })
    }
}
