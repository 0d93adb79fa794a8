/// Writes compact JSON text into a growing array of bytes, in one pass.
///
/// The writer adds the commas. Its calls must nest properly (`beginObject` … `endObject`), and in an object each value must
/// follow a `key`. An absent value is written as `null` and never left out.
public struct JSONWriter: Sendable {
    /// The text so far.
    public private(set) var bytes: [UInt8]

    private var needsComma = false

    /// Creates a writer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Begins an object.
    public mutating func beginObject() { begin(UInt8(ascii: "{")) }

    /// Ends the object that was begun last.
    public mutating func endObject() { end(UInt8(ascii: "}")) }

    /// Begins an array.
    public mutating func beginArray() { begin(UInt8(ascii: "[")) }

    /// Ends the array that was begun last.
    public mutating func endArray() { end(UInt8(ascii: "]")) }

    /// Writes the name of a member, whose value must come next.
    public mutating func key(_ name: String) {
        bytes.appendName(name, afterComma: needsComma)
        needsComma = false
    }

    /// Writes `null`.
    public mutating func null() { literal("null") }

    /// Writes `true` or `false`.
    public mutating func value(_ value: Bool) { literal(value ? "true" : "false") }

    /// Writes an integer.
    public mutating func value(_ value: Int64) {
        separate()
        bytes.appendDecimal(value)
    }

    /// Writes an integer.
    public mutating func value(_ value: Int) { self.value(Int64(value)) }

    /// Writes a number in the shortest spelling that is exact.
    ///
    /// Infinity and NaN, which JSON lacks, are written as `null`.
    public mutating func value(_ value: Double) {
        if let number = JSONNumber(value) { self.value(number) } else { null() }
    }

    /// Writes a number in its own spelling.
    public mutating func value(_ value: JSONNumber) {
        separate()
        value.append(to: &bytes)
    }

    /// Writes a string.
    public mutating func value(_ value: String) {
        bytes.appendString(value, afterComma: needsComma)
        needsComma = true
    }

    /// Writes any value.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): self.value(value)
        case .number(let number): self.value(number)
        case .string(let text): self.value(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object): self.value(object)
        }
    }

    /// Writes an object.
    public mutating func value(_ object: JSONObject) {
        beginObject()
        for member in object.members {
            key(member.name)
            value(member.value)
        }
        endObject()
    }

    /// Writes bytes that already are one JSON value, such as a stored document.
    ///
    /// They are not checked.
    public mutating func value(rawJSON: some Sequence<UInt8>) {
        separate()
        // Contiguous bytes are copied at once. The sequence's own iterator is not specialized for the caller's type.
        if rawJSON.withContiguousStorageIfAvailable({ bytes.append(contentsOf: $0) }) == nil {
            bytes.append(contentsOf: rawJSON)
        }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// Writes a comma if a value stands before the next one, which is going to be written.
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}
