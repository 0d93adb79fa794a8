package import JSON

extension Mortise {
    /// Returns a client that also hands each successful answer to `observer`, as the server sent it.
    ///
    /// Typed values omit the members that this version of the client does not know. A program that prints the whole
    /// answer reads it here.
    ///
    /// - Parameter observer: Receives the body of an answer before the typed value is made from it.
    /// - Returns: The same client with the observer. An earlier observer is replaced.
    package func observingAnswers(_ observer: @escaping @Sendable (JSONValue) -> Void) -> Mortise {
        var transport = transport
        transport.observer = observer
        return Mortise(transport: transport)
    }
}
