/// Everything that the client hands out holds a transport, and what prints it would print connections and what is in their
/// buffers, tokens included.
extension Transport: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where it calls, and nothing else.
    var description: String { url.text }

    /// The same.
    var debugDescription: String { description }

    /// The URL alone.
    var customMirror: Mirror { Mirror(self, children: ["url": url.text]) }
}
