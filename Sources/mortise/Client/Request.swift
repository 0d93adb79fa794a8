import JSON
import MortiseClient

/// A call of the API that a command makes.
struct Request<Value: Sendable>: Sendable {
    /// The options that a repetition of the command must change for its body to be the same, with a leading blank.
    ///
    /// Defaults to none.
    let changedOptions: String
    /// Makes the call.
    let send: @Sendable (Mortise) async throws(MortiseError) -> Value

    init(
        changedOptions: String = "",
        _ send: @escaping @Sendable (Mortise) async throws(MortiseError) -> Value
    ) {
        self.changedOptions = changedOptions
        self.send = send
    }
}

/// The answer to a request: the typed value, and the JSON that it was made from.
///
/// A newer server sends members that this version does not know. They are in the JSON alone.
struct ServerAnswer<Value: Sendable>: Sendable {
    let value: Value
    /// The body of the answer.
    ///
    /// An empty object if the answer has none.
    let json: JSONValue
}
