/// A value that does not print: no interpolation, mirror or dump shows more than `TypeName(redacted)`.
public protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
    /// The name of the type, followed by `(redacted)`.
    public var description: String { "\(Self.self)(redacted)" }

    /// The name of the type, followed by `(redacted)`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
