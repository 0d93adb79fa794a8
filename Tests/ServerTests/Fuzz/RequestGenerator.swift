import JSON
import Server
import TestSupport

/// Makes requests: mostly near to what an operation takes, so that they get far, and wrong in every way that occurs to it.
struct RequestGenerator {
    var random: SplitMix64
    let targets: [FuzzTarget]
    /// Ids and names that mean something, and some that mean something to others.
    let names: [String]
    let credentials: [String]

    mutating func next() -> FuzzRequest {
        var target = random.pick(targets)
        // Databases and password hashes are made to take time.
        while target.isCostly, !random.chance(60) { target = random.pick(targets) }
        var request = FuzzRequest(
            method: random.chance(25) ? random.pick(Self.methods) : target.method,
            target: path(of: target) + query(of: target),
            headers: headers(of: target)
        )
        if target.body != nil || random.chance(10) { addBody(of: target, &request) }
        return request
    }

    // MARK: Paths and queries

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]

    private static let junk = [
        "", "0", "-1", "1", "1.0", "1e3", "+5", "100", "101", "9223372036854775808", "true", "null", "%00", "a%00b",
        "%FF",
        "%C3%28", "%ED%A0%80", "%ZZ", "%", "%2", "..", ".", "%2F", "%252F", "a/b", "//", "'", "\"", "%27%20OR%201%3D1",
        "%25",
        "_", "%5C", "+", "%2B", "%0D%0A", "é", "%F0%9F%94%91", "0198c0de-0000-7000-8000-00000000abcd",
        "0198C0DE-0000-7000-8000-00000000ABCD", "ak_0198c0de00007000800000000000abcd", "api_key_00000000", "ws_",
        "user_1",
        "mks_live_00000000000000000000000000000000000000000000", "[]", "a[]=b", "2030-01-01T00:00:00Z", "infinity",
        "NaN",
        String(repeating: "a", count: 300), String(repeating: "%61", count: 90),
    ]

    private mutating func word() -> String { random.chance(5) ? random.pick(Self.junk) : random.pick(names) }

    private mutating func path(of target: FuzzTarget) -> String {
        var path = target.path
        for name in target.parameters {
            path = path.replacing("{\(name)}", with: word()).replacing("{\(name)+}", with: word())
        }
        switch random.pick(Array(0..<40)) {
        case 0: return path.replacing("/", with: "//")
        case 1: return path + "/"
        case 2: return path + "/" + word()
        case 3: return String(path.dropLast(1))
        case 4: return path.uppercased()
        default: return path
        }
    }

    private mutating func query(of target: FuzzTarget) -> String {
        guard random.chance(3) || !target.query.isEmpty else { return "" }
        var pairs: [String] = []
        for parameter in target.query where random.chance(3) {
            pairs.append("\(parameter.name)=\(queryValue(parameter.schema))")
        }
        if random.chance(8) { pairs.append("\(word())=\(word())") }
        if random.chance(20) { pairs.append("_method=\(random.pick(Self.methods))") }
        if random.chance(20), let twin = pairs.first { pairs.append(twin) }
        return pairs.isEmpty && !random.chance(20) ? "" : "?" + pairs.joined(separator: "&")
    }

    private mutating func queryValue(_ schema: Schema) -> String {
        guard !random.chance(3) else { return word() }
        return switch value(of: schema, depth: 0) {
        case .string(let text): Self.encoded(text)
        case .number(let number): JSONValue.number(number).text
        case let other: Self.encoded(other.text)
        }
    }

    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isPlain || byte == 0x2D || byte == 0x5F {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }

    // MARK: Headers

    private mutating func headers(of target: FuzzTarget) -> [(String, String)] {
        var headers: [(String, String)] = [("host", "localhost")]
        // The first one may do everything, and gets furthest.
        let credential = random.chance(10) ? random.pick(credentials) : credentials[0]
        if !random.chance(40) {
            switch target.credential {
            case .bearer: headers.append(("authorization", random.chance(30) ? credential : "Bearer \(credential)"))
            case .apiKey: headers.append(("x-api-key", credential))
            }
        }
        if random.chance(15) {
            let names = [
                "x-fb-tenant", "apikey", "x-client-key", "x-service-key", "x-api-key", "idempotency-key",
                "x-request-id",
                "origin", "access-control-request-method", "user-agent", "x-forwarded-for", "accept",
                "content-encoding",
            ]
            headers.append((random.pick(names), random.chance(2) ? random.pick(self.names) : random.pick(Self.values)))
        }
        return headers
    }

    private static let values = [
        "", " ", "x", "0", "a,b", "\"", "é", "null", "https://app.example.com", "POST", "gzip", "text/html", "::1",
        "clerk-sdk-python 1", String(repeating: "k", count: 300),
    ]

    // MARK: Bodies

    private mutating func addBody(of target: FuzzTarget, _ request: inout FuzzRequest) {
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
        case 4: return .string(random.pick(names))
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

    /// Something near to what a schema describes.
    private mutating func value(of schema: Schema, depth: Int) -> JSONValue {
        if random.chance(25) { return anything(depth: depth) }
        switch schema {
        case .text(let rules):
            if let choices = rules.choices { return .string(random.pick(choices)) }
            return .string(random.chance(4) ? random.pick(Self.texts) : random.pick(names))
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
                object[field.name] = value(of: field.schema, depth: depth + 1)
            }
            if random.chance(20) { object[random.pick(Self.texts)] = anything(depth: depth + 1) }
            return .object(object)
        case .free(let rules):
            let json = anything(depth: depth)
            return rules.isObject && json.object == nil ? .object(JSONObject()) : json
        case .nullable(let schema): return random.chance(4) ? .null : value(of: schema, depth: depth)
        case .checked(let schema, _), .described(let schema, _), .component(_, let schema):
            return value(of: schema, depth: depth)
        }
    }
}
