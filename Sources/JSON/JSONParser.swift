extension JSONValue {
    /// Parses one JSON text (RFC 8259).
    ///
    /// The parser is strict: the text is UTF-8 without a byte order mark, there are no extensions, and an object has no two
    /// members with the same name.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the text.
    ///   - limits: The largest accepted text.
    /// - Throws: ``JSONError`` with the first fault and its offset.
    public init(
        parsing bytes: some Collection<UInt8>,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) {
        guard bytes.count <= limits.maximumBytes else { throw JSONError(.tooLarge, at: limits.maximumBytes) }
        let parsed = bytes.withContiguousStorageIfAvailable { JSONParser.parse($0, limits) }
        if let parsed {
            self = try parsed.get()
        } else {
            self = try Array(bytes).withUnsafeBufferPointer { JSONParser.parse($0, limits) }.get()
        }
    }
}

/// A recursive-descent parser over contiguous memory, which must outlive the parser.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int
    var index = 0
    var depth = 0

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONLimits) -> Result<JSONValue, JSONError> {
        var parser = JSONParser(bytes: bytes, maximumDepth: limits.maximumDepth)
        do throws(JSONError) {
            let value = try parser.value()
            parser.skipWhitespace()
            guard parser.index == bytes.count else { throw JSONError(.trailingBytes, at: parser.index) }
            return .success(value)
        } catch {
            return .failure(error)
        }
    }

    mutating func value() throws(JSONError) -> JSONValue {
        switch try nextToken() {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw JSONError(.unexpectedByte, at: index)
        }
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if try nextToken() == UInt8(ascii: "]") {
            index += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            if try isEnd(UInt8(ascii: "]")) { return .array(elements) }
        }
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try descend()
        defer { depth -= 1 }
        var members: [JSONObject.Member] = []
        var seen: Set<MemberName> = []
        if try nextToken() == UInt8(ascii: "}") {
            index += 1
            return .object(JSONObject())
        }
        while true {
            guard try nextToken() == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: index) }
            let nameOffset = index
            let name = try string()
            guard !isDuplicate(name, among: members, &seen) else { throw JSONError(.duplicateMember, at: nameOffset) }
            guard try nextToken() == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: index) }
            index += 1
            members.append((name, try value()))
            if try isEnd(UInt8(ascii: "}")) { return .object(JSONObject(checkedMembers: members)) }
        }
    }

    /// Returns true if the object already has a member with the name.
    ///
    /// A few names are compared with each other, which needs no memory. A set takes over for more, so that a client cannot
    /// make the parser spend quadratic time.
    private func isDuplicate(_ name: String, among members: [JSONObject.Member], _ seen: inout Set<MemberName>) -> Bool
    {
        let few = 16
        if members.count < few { return members.contains { $0.name.hasSameBytes(as: name) } }
        if members.count == few {
            for member in members { seen.insert(MemberName(name: member.name)) }
        }
        return !seen.insert(MemberName(name: name)).inserted
    }

    /// Enters an array or an object, and skips its opening bracket.
    private mutating func descend() throws(JSONError) {
        guard depth < maximumDepth else { throw JSONError(.tooDeep, at: index) }
        depth += 1
        index += 1
    }

    /// Skips the byte after an element, and returns true if it is the closing bracket and not a comma.
    private mutating func isEnd(_ closing: UInt8) throws(JSONError) -> Bool {
        let byte = try nextToken()
        guard byte == closing || byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: index) }
        index += 1
        return byte == closing
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
            guard bytes[index] == text.utf8Start[offset] else { throw JSONError(.unexpectedByte, at: index) }
            index += 1
        }
    }

    /// Skips white space and returns the byte after it, which is not consumed.
    mutating func nextToken() throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
        return bytes[index]
    }

    private mutating func skipWhitespace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }
}
