/// An error that says that a parser lacks a property for some input.
package struct BrokenProperty: Error, CustomStringConvertible {
    /// The property.
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless a parser has a property.
func require(_ isTrue: Bool, _ property: @autoclosure () -> String) throws(BrokenProperty) {
    guard isTrue else { throw BrokenProperty(property()) }
}

/// Returns a value that a parser must give.
func unwrap<Value>(_ value: Value?, _ property: @autoclosure () -> String) throws(BrokenProperty) -> Value {
    guard let value else { throw BrokenProperty(property()) }
    return value
}

extension UnsafeBufferPointer<UInt8> {
    /// The input as text, with U+FFFD in place of bytes that are not UTF-8.
    var text: String { String(decoding: self, as: UTF8.self) }
}
