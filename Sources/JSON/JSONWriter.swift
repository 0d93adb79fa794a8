/// Writes JSON text into a growing array of bytes, compactly and in one pass.
///
/// Commas are its own affair. What is written must nest properly (`beginObject` … `endObject`); inside an object each
/// value follows a `key`. An absent value is written as `null`, never left out.
public struct JSONWriter: Sendable {
    /// The text so far.
    public private(set) var bytes: [UInt8]

    private var needsComma = false

    /// Makes a writer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Opens an object.
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    /// Closes the object that was opened last.
    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Opens an array.
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    /// Closes the array that was opened last.
    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Writes the name of the member whose value comes next.
    public mutating func key(_ name: String) {
        separate()
        bytes.appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
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
        needsComma = true
    }

    /// Writes an integer.
    public mutating func value(_ value: Int) { self.value(Int64(value)) }

    /// Writes a number in its shortest exact spelling; infinities and NaN, which JSON lacks, become `null`.
    public mutating func value(_ value: Double) {
        if let number = JSONNumber(value) { self.value(number) } else { null() }
    }

    /// Writes a number as it was spelled.
    public mutating func value(_ value: JSONNumber) {
        separate()
        value.append(to: &bytes)
        needsComma = true
    }

    /// Writes a string.
    public mutating func value(_ value: String) {
        separate()
        bytes.appendQuoted(value)
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

    /// Writes bytes that are one JSON value already, such as a stored document, without looking at them.
    public mutating func value(rawJSON: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: rawJSON)
        needsComma = true
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }
}
