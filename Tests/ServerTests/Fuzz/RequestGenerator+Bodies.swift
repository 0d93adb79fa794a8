import Endpoints
import JSON
import Server
import TestSupport

/// Bodies: similar to the schema, or damaged.
extension RequestGenerator {
    mutating func addBody(of target: FuzzTarget, _ request: inout FuzzRequest) {
        let types = ["application/json", "application/json; charset=utf-8", "", "text/plain", "application/xml"]
        if random.chance(12) {
            let form = "application/x-www-form-urlencoded"
            request.headers.append(("content-type", random.chance(4) ? random.pick(types) : form))
            let pairs = (0..<Int.random(in: 0..<4, using: &random)).map { _ in "\(word())=\(word())" }
            request.body = Array(pairs.joined(separator: "&").utf8)
            return
        }
        request.headers.append(("content-type", random.chance(20) ? random.pick(types) : "application/json"))
        if random.chance(20) {
            request.body = []
            return
        }
        let json = if let schema = target.body { value(of: schema, depth: 0) } else { anything(depth: 0) }
        var bytes = Array(json.text.utf8)
        if random.chance(15) { damage(&bytes) }
        request.body = bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.removeLast(min(bytes.count, Int.random(in: 1...8, using: &random)))
        case 1: bytes.insert(random.next(upperBound: UInt8.max), at: Int.random(in: 0...bytes.count, using: &random))
        case 2: bytes += bytes
        case 3: bytes = Array(repeating: UInt8(ascii: "["), count: Int.random(in: 1...5000, using: &random))
        case 4: bytes = Array("{\"name\":\"\\ud800\",\"name\":1e999}".utf8)
        default: bytes += Array(repeating: UInt8(ascii: " "), count: Int.random(in: 1...70_000, using: &random))
        }
    }

    private static let texts = [
        "", "a", "name", "\u{0}", "a\u{0}b", "é", "🔑", "%", "_", "\\", "'; DROP TABLE x; --", "192.0.2.1",
        "192.0.2.0/24", "::/0",
        "10.0.0.1/8", "*", "read:*", "read:x", "live", "test", "service", "2030-01-01T00:00:00Z",
        "1999-01-01T00:00:00Z", "24h",
        "7d", "-1h", "a@example.com", "owner", "days", "user_1", "org_1", "0198c0de-0000-7000-8000-00000000abcd",
        String(repeating: "x", count: 256), String(repeating: "é", count: 2100), "\u{FFFF}", "\r\n", " ",
    ]

    private static let numbers = ["0", "1", "1.5", "-0.5", "1e400", "1E2", "18446744073709551616"]
        .compactMap { try? JSONValue(parsing: $0.utf8) }

    private mutating func anything(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 3 ? 6 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(random.chance(2))
        case 2: return .integer(random.pick([0, 1, -1, 60, 365, 86_400, 2_592_001, .max, .min]))
        case 3: return random.pick(Self.numbers)
        case 4: return .string(random.pick(world.names))
        case 5: return .string(random.pick(Self.texts))
        case 6: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in anything(depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                object[random.pick(Self.texts)] = anything(depth: depth + 1)
            }
            return .object(object)
        }
    }

    /// Returns a meaningful value for a member of this name in every second call, and `nil` otherwise.
    private mutating func known(_ name: String) -> JSONValue? {
        if random.chance(2) { return nil }
        // Most names must be unique.
        if ["name", "slug"].contains(name) { return .string("new-\(Int.random(in: 0..<1_000_000, using: &random))") }
        return world.values[name].map { random.pick($0) }
    }

    /// Returns the members of a body whose rules are in the operation instead of the schema.
    private mutating func plausibleObject() -> JSONObject {
        var object: JSONObject = ["name": .string("new-\(Int.random(in: 0..<1_000_000, using: &random))")]
        for name in ["subject", "description", "claims", "scopes", "seconds_until_expiration", "created_by", "type"] {
            if random.chance(name == "subject" ? 2 : 5) { object[name] = known(name) ?? anything(depth: 1) }
        }
        if random.chance(2) { object["name"] = nil }
        return object
    }

    static func members(of schema: Schema) -> [String] {
        switch schema {
        case .object(let rules): rules.fields.flatMap { [$0.name] + members(of: $0.schema) }
        case .array(let schema, _), .nullable(let schema), .checked(let schema, _), .described(let schema, _),
            .component(_, let schema), .lenient(let schema):
            members(of: schema)
        case .text, .integer, .number, .boolean, .free: []
        }
    }

    /// Returns a value that is similar to the schema.
    mutating func value(of schema: Schema, depth: Int) -> JSONValue {
        if random.chance(25) { return anything(depth: depth) }
        switch schema {
        case .text(let rules):
            if let choices = rules.choices { return .string(random.pick(choices)) }
            return .string(random.chance(4) ? random.pick(Self.texts) : random.pick(world.names))
        case .integer(let range):
            return .integer(random.pick([range.lowerBound, range.upperBound, Int64.random(in: range, using: &random)]))
        case .number: return random.pick(Self.numbers)
        case .boolean: return .bool(random.chance(2))
        case .array(let element, let count):
            let length = min(count.upperBound, Int.random(in: 0..<4, using: &random))
            return .array((0..<length).map { _ in value(of: element, depth: depth + 1) })
        case .object(let rules):
            var object = JSONObject()
            for field in rules.fields where field.isRequired ? !random.chance(30) : random.chance(3) {
                object[field.name] = known(field.name) ?? value(of: field.schema, depth: depth + 1)
            }
            if random.chance(20) { object[random.pick(Self.texts)] = anything(depth: depth + 1) }
            // An operation might read a member of another operation by mistake.
            if random.chance(8) { object[random.pick(members)] = anything(depth: depth + 1) }
            return .object(object)
        case .free(let rules):
            if depth == 0, !random.chance(4) { return .object(plausibleObject()) }
            let json = anything(depth: depth)
            return rules.isObject && json.object == nil ? .object(JSONObject()) : json
        case .nullable(let schema): return random.chance(4) ? .null : value(of: schema, depth: depth)
        case .checked(let schema, _), .described(let schema, _), .component(_, let schema), .lenient(let schema):
            return value(of: schema, depth: depth)
        }
    }
}
