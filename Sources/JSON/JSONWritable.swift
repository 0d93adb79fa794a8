/// A type whose values have a JSON form.
public protocol JSONWritable {
    /// Writes the value as exactly one JSON value.
    func write(to writer: inout JSONWriter)
}

extension JSONWriter {
    /// Writes a value in its JSON form.
    public mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    /// Writes a member.
    public mutating func member(_ name: String, _ value: some JSONWritable) {
        key(name)
        value.write(to: &self)
    }

    /// Writes a member.
    ///
    /// An absent value is written as `null`.
    public mutating func member(_ name: String, _ value: (some JSONWritable)?) {
        key(name)
        if let value { value.write(to: &self) } else { null() }
    }

    /// Writes a member that is an array.
    public mutating func member(_ name: String, _ values: [some JSONWritable]) {
        key(name)
        array(values)
    }

    /// Writes a member that is `null`.
    public mutating func member(_ name: String, _ value: Never?) {
        key(name)
        null()
    }

    /// Writes an array.
    public mutating func array(_ values: [some JSONWritable]) {
        beginArray()
        for value in values { value.write(to: &self) }
        endArray()
    }

    /// Writes an object whose members the closure writes.
    public mutating func object<E: Error>(_ members: (inout JSONWriter) throws(E) -> Void) throws(E) {
        beginObject()
        try members(&self)
        endObject()
    }

    /// Writes a member that is an object whose members the closure writes.
    public mutating func object<E: Error>(_ name: String, _ members: (inout JSONWriter) throws(E) -> Void) throws(E) {
        key(name)
        try object(members)
    }
}

extension String: JSONWritable {
    /// Writes the string.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Bool: JSONWritable {
    /// Writes `true` or `false`.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Int: JSONWritable {
    /// Writes the integer.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Int64: JSONWritable {
    /// Writes the integer.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension Double: JSONWritable {
    /// Writes the number.
    ///
    /// Infinity and NaN are written as `null`.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension JSONValue: JSONWritable {
    /// Writes the value.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}

extension JSONObject: JSONWritable {
    /// Writes the object.
    public func write(to writer: inout JSONWriter) { writer.value(self) }
}
