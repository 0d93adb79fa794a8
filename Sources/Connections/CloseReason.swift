/// A reason to close a connection, as a label of the metric.
package enum CloseReason: String, Sendable, CaseIterable {
    /// No request arrived in time.
    case idle
    /// The head of the first request did not arrive in time.
    case head
    /// The body of a request did not arrive in time.
    case body
    /// The client took nothing of its answer in time.
    case answer
    /// Another connection needed the slot.
    case room
    /// The client broke the rules of TLS, HTTP/2 or the PROXY protocol, or sent too many frames that cost the server more than the client.
    case fault
}
