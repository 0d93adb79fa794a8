import MortiseClient

extension CommandFailure {
    /// Describes a failed call, with advice on what to check.
    ///
    /// - Parameters:
    ///   - error: The error of the call.
    ///   - credential: The origin of the credential, such as `MORTISE_TOKEN`. Empty if the call had none.
    ///   - authorities: The file with the certificates that are trusted. `nil` for the system's.
    init(_ error: MortiseError, credential: String, authorities: String? = nil) {
        if let fault = error.connectionFault {
            self.init(.unreachable, error.message, details: fault.advice(authorities))
            return
        }
        switch error.reason {
        case .timedOut:
            self.init(
                .unreachable,
                error.message,
                details: ["Use a longer --timeout, or run `mortise doctor --url` to examine the server."]
            )
        case .cancelled: self.init(.interrupted, "Interrupted.")
        case .noCredential: self.init(.usage, error.message)
        // The client itself refused a value, and sent nothing.
        case .invalidRequest where error.status == nil: self.init(.usage, error.message)
        // An outage without a Mortise code comes from a proxy in front of the server.
        case .unexpectedAnswer,
            .unavailable where error.code == nil:
            self.init(.unreachable, error.message, details: [Self.wrongServerAdvice])
        default: self.init(refusal: error, credential)
        }
    }

    /// The advice for an answer that does not come from a Mortise server.
    static let wrongServerAdvice = "Is --url right? Is there a proxy in front that cannot reach Mortise?"

    /// Describes a refusal: the detail, the identifiers in brackets, and a line for each fault of the body.
    private init(refusal error: MortiseError, _ credential: String) {
        let marks = [error.status.map(String.init), error.code, error.requestID.map { "request \($0)" }]
        let faults = error.faults.map { fault in
            fault.place.map { "\(FlagNames.text(for: $0)): \(fault.detail)" } ?? fault.detail
        }
        // The server's sentence about a single fault repeats it, with a pointer instead of a flag.
        let repeats = error.faults.count == 1 && error.faults[0].place.map(error.message.contains) == true
        // A flag stays as it is.
        let message = repeats ? "\(faults[0].prefix(1).uppercased())\(faults[0].dropFirst())." : error.message
        var details = repeats ? [] : faults
        details += error.faults.compactMap { MistypedValue.suggestion(for: $0) }
        if let delay = error.retryAfter { details.append("Try again in \(delay.components.seconds) s.") }
        if error.reason == .unauthenticated, !credential.isEmpty {
            details.append("The credential comes from \(credential). Is it the right one, and still valid?")
        }
        let sentence = "\(message) (\(marks.compactMap(\.self).joined(separator: ", ")))"
        self.init(.refused, sentence, details: details, reason: error.reason)
    }
}

extension ConnectionFault {
    /// Returns questions that lead to the cause.
    ///
    /// - Parameter authorities: The file with the certificates that are trusted. `nil` for the system's.
    /// - Returns: A line for each question.
    func advice(_ authorities: String?) -> [String] {
        let running = "Is `mortise serve` running there? Is --url (or MORTISE_URL, or the profile) right?"
        return switch self {
        case .unknownHost: ["Is --url (or MORTISE_URL) right?"]
        case .refused, .tooLarge: [running]
        case .connectTimeout: [running, "Does a firewall drop the packets?"]
        case .handshakeTimeout: ["Does the server use TLS on this port? If not, the URL must start with http://."]
        case .closed: ["Was the server just stopped? If the port uses TLS, the URL must start with https://."]
        case .broken: ["Was the server just stopped?"]
        case .untrustedCertificate:
            if let authorities {
                [
                    "Only the certificates in \(authorities) are trusted, and none of them issued it.",
                    "Is this the right file (--ca-file, MORTISE_CA_FILE, or the profile)? Has the certificate expired?",
                ]
            } else {
                ["If an authority of your own issued it, name its certificate with --ca-file or MORTISE_CA_FILE."]
            }
        case .otherName:
            ["Is --url (or MORTISE_URL, or the profile) right? Its host must be in the certificate."]
        case .notEncrypted: ["If the server does not use TLS on this port, the URL must start with http://."]
        case .protocolFailed: ["Is it an HTTP server, and does this system trust its certificate?"]
        }
    }
}
