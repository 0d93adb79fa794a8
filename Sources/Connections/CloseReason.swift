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
}
