/// Everything that the client hands out holds a transport.
///
/// A default description of a transport would show its connections and their buffers, tokens included.
extension Transport: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL of the server.
    var description: String { url.text }

    /// The URL of the server.
    var debugDescription: String { description }

    /// A mirror with the URL only.
    var customMirror: Mirror { Mirror(self, children: ["url": url.text]) }
}
