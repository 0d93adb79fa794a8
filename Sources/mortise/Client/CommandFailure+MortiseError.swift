import MortiseClient

extension CommandFailure {
    /// A failure of a call, in words and with what to check.
    init(_ error: MortiseError) {
        if let fault = error.connectionFault {
            self.init(.unreachable, error.message, details: fault.advice)
            return
        }
        switch error.reason {
        case .timedOut:
            self.init(
                .unreachable,
                error.message,
                details: ["Give it longer with --timeout SECONDS, or ask `mortise doctor --url` what is wrong."]
            )
        case .cancelled: self.init(.interrupted, "Interrupted.")
        case .noCredential: self.init(.usage, error.message)
        // Without a code it is not Mortise that says it is unavailable, but what stands before it.
        case .unexpectedAnswer,
            .unavailable where error.code == nil:
            self.init(
                .unreachable,
                error.message,
                details: ["Is --url right? Is a proxy in between that cannot reach Mortise?"]
            )
        default: self.init(refusal: error)
        }
    }

    /// The detail as the sentence, what identifies it in brackets, and a line for each fault of the body.
    private init(refusal error: MortiseError) {
        let marks = [error.status.map(String.init), error.code, error.requestID.map { "request \($0)" }]
        var details = error.faults.map { fault in fault.place.map { "\($0): \(fault.detail)" } ?? fault.detail }
        if let delay = error.retryAfter { details.append("Try again in \(delay.components.seconds) s.") }
        if error.reason == .unauthenticated {
            details.append(
                "The credential comes from --token-file or \(Credential.variable): is it the right one, and still valid?"
            )
        }
        let sentence = "\(error.message) (\(marks.compactMap(\.self).joined(separator: ", ")))"
        self.init(.refused, sentence, details: details)
    }
}

extension ConnectionFault {
    /// What to check.
    fileprivate var advice: [String] {
        let running = "Is `mortise serve` running there? Is --url (or MORTISE_URL) right?"
        return switch self {
        case .unknownHost: ["Is --url (or MORTISE_URL) right?"]
        case .refused, .tooLarge: [running]
        case .connectTimeout: [running, "Does a firewall drop the packets?"]
        case .handshakeTimeout: ["Does the server speak TLS on this port? If not, the URL starts with http://."]
        case .closed: ["Has it just been stopped? If the port speaks TLS, the URL starts with https://."]
        case .broken: ["Has it just been stopped?"]
        case .protocolFailed: ["Is it an HTTP server, and is its certificate one that this system trusts?"]
        }
    }
}
