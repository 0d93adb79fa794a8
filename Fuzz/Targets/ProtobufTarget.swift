import GatewayAPI
import Keys

extension FuzzTarget {
    /// A field with a copy of its value.
    private enum Content: Equatable {
        case number(Int, UInt64)
        case bytes(Int, [UInt8])
    }

    static func checkProtobuf(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let bytes = Array(input)
        let (fields, isWhole) = readFields(bytes)
        try require(2 * fields.count <= bytes.count, "a field has at least two bytes")
        var end = 0
        for field in fields {
            try require((1...536_870_911).contains(field.number), "the number of a field has 29 bits")
            guard case .bytes(let range) = field.value else { continue }
            try require(end <= range.lowerBound, "a value lies behind the one before it")
            try require(range.upperBound <= bytes.count, "a value lies in the message")
            end = range.upperBound
        }
        let (shorter, _) = readFields(Array(bytes.dropLast()))
        try require(fields.starts(with: shorter), "a message that is cut short begins with the same fields")
        let values = contents(of: fields, in: bytes)
        let written = message(values)
        let again = readFields(written)
        try require(again.isWhole, "a written message is read")
        try require(contents(of: again.fields, in: written) == values, "written fields are read back")
        try checkRequest(bytes, isMessage: isWhole)
    }

    /// Checks the message as the check of a gateway.
    private static func checkRequest(_ bytes: [UInt8], isMessage: Bool) throws(BrokenProperty) {
        guard let request = try? CheckRequest(bytes) else { return }
        try require(isMessage, "a check is a message")
        try require(request.headerBytes <= 3 * bytes.count, "the size of the headers is bounded")
        try require(request.configuration.count <= 3 * bytes.count, "the size of a configuration is bounded")
        let entries = request.extensionTexts
        // A text that is no header of the message, because its bytes are.
        let line = String(decoding: bytes, as: UTF8.self)
        var attributes = entries.map { Content.bytes(10, entry($0.name, $0.value)) }
        attributes.append(.bytes(4, message([.bytes(2, message([.bytes(3, entry("x-api-key", line))]))])))
        if let source = request.source {
            let address = message([.bytes(2, Array(source.description.utf8))])
            attributes.append(.bytes(1, message([.bytes(1, message([.bytes(1, address)]))])))
        }
        let again = try unwrap(try? CheckRequest(message([.bytes(1, message(attributes))])), "a written check is read")
        try require(isSame(again.extensionTexts, entries), "written context extensions are read back")
        try require(again.lines("X-API-Key") == [line], "a written header is read back")
        try require(again.source == request.source, "a written address is read back")
        try checkExtensions(entries)
    }

    private static func checkExtensions(_ entries: [(name: String, value: String)]) throws(BrokenProperty) {
        guard let path = try? ContextExtensions.read(entries) else { return }
        // Attack: a misspelled scope, or a second one that takes the place of the first, lets a client in.
        for (name, value) in entries + [(name: "scopes", value: "read:x")] {
            let more = try? ContextExtensions.read(entries + [(name: name, value: value)])
            try require(more == nil, "a repeated or unknown name is a fault")
        }
        let read = try? CheckPath.read(pathText(of: path))
        try require(read == path, "context extensions mean what a path means")
    }

    // MARK: The format

    /// Returns the fields up to the first fault, and true if there is none.
    private static func readFields(_ bytes: [UInt8]) -> (fields: [ProtobufReader.Field], isWhole: Bool) {
        var reader = ProtobufReader(bytes)
        var fields: [ProtobufReader.Field] = []
        do throws(ProtobufFault) {
            while let field = try reader.next() { fields.append(field) }
            return (fields, true)
        } catch {
            return (fields, false)
        }
    }

    private static func contents(of fields: [ProtobufReader.Field], in bytes: [UInt8]) -> [Content] {
        fields.map { field in
            switch field.value {
            case .number(let value): .number(field.number, value)
            case .bytes(let range): .bytes(field.number, Array(bytes[range]))
            }
        }
    }

    /// Returns an entry of a map.
    private static func entry(_ name: String, _ value: String) -> [UInt8] {
        message([.bytes(1, Array(name.utf8)), .bytes(2, Array(value.utf8))])
    }

    private static func message(_ fields: [Content]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            switch field {
            case .number(let number, let value): bytes += varint(UInt64(number) << 3) + varint(value)
            case .bytes(let number, let value):
                bytes += varint(UInt64(number) << 3 | 2) + varint(UInt64(value.count)) + value
            }
        }
        return bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
