/// A fault of a body that is not the fault of the server.
///
/// The connection reports it to the endpoint that reads the body. The endpoint answers, and the connection is closed.
package enum RequestBodyFault: Error, Sendable {
    /// The body did not arrive in time.
    case late
    /// The body does not have the form that the head announces (RFC 9112 sections 6 and 7).
    case malformed
    /// The client stopped sending before the end of the body.
    case incomplete

    /// The answer to the request.
    var problem: Problem {
        switch self {
        case .late: .requestTimeout
        case .malformed: .malformedBody
        case .incomplete: .incompleteBody
        }
    }
}

/// The outbound event that a body is wanted now.
///
/// The connection then sends `100 Continue` to a client that waits for it (RFC 9110 section 10.1.1).
package struct ContinueEvent: Sendable {
    /// Creates the event.
    package init() {}
}
