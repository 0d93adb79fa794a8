/// A value that no print, interpolation, mirror or dump shows: all of them say `TypeName(redacted)`.
public protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
    /// The name of the type, and that the rest is withheld.
    public var description: String { "\(Self.self)(redacted)" }

    /// The name of the type, and that the rest is withheld.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
