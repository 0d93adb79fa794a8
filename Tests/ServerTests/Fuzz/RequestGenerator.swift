import Endpoints
import JSON
import Server
import TestSupport

/// Generates requests: mostly similar to valid ones, so that they pass the first checks, with one fault or more.
struct RequestGenerator {
    var random: SplitMix64
    let targets: [FuzzTarget]
    /// The members of the bodies of all operations.
    let members: [String]
    let world: FuzzWorld
    /// Sessions for the operations that end one.
    ///
    /// The last session stays in the array.
    var passing: [String]
    /// True if no part of the request prevents that it reaches its operation.
    private var isOnTarget = true

    init(seed: UInt64, targets: [FuzzTarget], world: FuzzWorld, passing: [String]) {
        random = SplitMix64(seed: seed)
        self.targets = targets
        members = targets.compactMap(\.body).flatMap(Self.members)
        self.world = world
        self.passing = passing
    }

    mutating func next() -> FuzzRequest {
        var target = random.pick(targets)
        while (target.isCostly && !random.chance(12)) || (target.isFinal && !random.chance(5)) {
            target = random.pick(targets)
        }
        isOnTarget = true
        var request = FuzzRequest(
            method: method(of: target),
            target: path(of: target) + query(of: target),
            headers: [("host", "localhost")]
        )
        let kind = addCredential(for: target, &request)
        addHeader(&request)
        if target.body != nil || random.chance(10) { addBody(of: target, &request) }
        let isMeant = target.callers.isEmpty || kind.map(target.callers.contains) ?? false
        if isOnTarget, isMeant {
            request.aim = FuzzAim(operation: target.operation, kind: target.callers.isEmpty ? nil : kind)
        }
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

    mutating func word() -> String { random.chance(5) ? random.pick(Self.junk) : random.pick(world.names) }

    private mutating func method(of target: FuzzTarget) -> String {
        guard random.chance(25) else { return target.method }
        isOnTarget = false
        return random.pick(Self.methods)
    }

    /// Returns a value for a parameter, mostly a value with a meaning for this or another parameter.
    private mutating func element(_ name: String, of path: String) -> String {
        if random.chance(8) {
            isOnTarget = false
            return random.pick(Self.junk)
        }
        let known = world.values[FuzzWorld.thing(name, in: path)]
        if let known, !random.chance(5) { return random.pick(known).string ?? "" }
        return random.pick(world.names)
    }

    private mutating func path(of target: FuzzTarget) -> String {
        var path = target.path
        for name in target.parameters {
            let element = element(name, of: target.path)
            path = path.replacing("{\(name)}", with: element).replacing("{\(name)+}", with: element)
        }
        let damage = random.pick(Array(0..<40))
        if damage < 5 { isOnTarget = false }
        switch damage {
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
            let known = random.chance(2) ? world.values[parameter.name].map { random.pick($0).string ?? "" } : nil
            pairs.append("\(parameter.name)=\(known.map(Self.encoded) ?? queryValue(parameter.schema))")
        }
        if random.chance(8) { pairs.append("\(word())=\(word())") }
        if random.chance(20) {
            isOnTarget = false
            pairs.append("_method=\(random.pick(Self.methods))")
        }
        if random.chance(20), let pair = pairs.first { pairs.append(pair) }
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

    /// Adds a credential in the header of the surface, mostly one that the operation accepts.
    ///
    /// - Returns: The kind of the credential. `nil` if the request has no credential or its header is unreadable.
    private mutating func addCredential(for target: FuzzTarget, _ request: inout FuzzRequest) -> FuzzCredential.Kind? {
        var credential = random.pick(world.credentials)
        if !random.chance(10), !target.callers.isEmpty {
            let kind = random.pick(target.callers)
            credential = random.pick(world.credentials.filter { $0.kind == kind })
        }
        if target.endsSession, [.owner, .member].contains(credential.kind) {
            credential = FuzzCredential(kind: .owner, token: passing.last ?? "")
            if passing.count > 1 { passing.removeLast() }
        }
        if random.chance(40) { return nil }
        if target.surface == .boltz {
            request.headers.append(("x-api-key", credential.token))
            return credential.kind
        }
        let isBare = random.chance(30)
        request.headers.append(("authorization", isBare ? credential.token : "Bearer \(credential.token)"))
        return isBare ? nil : credential.kind
    }

    private mutating func addHeader(_ request: inout FuzzRequest) {
        guard random.chance(15) else { return }
        isOnTarget = false
        let names = [
            "x-fb-tenant", "apikey", "x-client-key", "x-service-key", "x-api-key", "idempotency-key", "x-request-id",
            "origin", "access-control-request-method", "user-agent", "x-forwarded-for", "accept", "content-encoding",
        ]
        let value = random.chance(2) ? random.pick(world.names) : random.pick(Self.values)
        request.headers.append((random.pick(names), value))
    }

    private static let values = [
        "", " ", "x", "0", "a,b", "\"", "é", "null", "https://app.example.com", "POST", "gzip", "text/html", "::1",
        "clerk-sdk-python 1", String(repeating: "k", count: 300),
    ]
}
