/// The reason for which a sign-in with the identity provider failed.
///
/// No session has begun.
public enum ProviderRefusal: Error, Sendable, Hashable {
    /// The sign-in began in another browser, took too long, or was completed before.
    case stale
    /// The provider, or the person there, refused. The text is an error code of RFC 6749, if the provider sent one.
    case declined(String?)
    /// The provider cannot be reached, or broke a rule of the protocol. The log says which.
    case unusable
    /// The provider does not say that the person controls the address.
    case unverified
    /// No member has the address.
    case unknown(email: String)
    /// The member of the address signs in as another subject of the provider.
    case otherSubject(email: String)

    /// A sentence for the person who signs in, which says what to do next.
    public var sentence: String {
        switch self {
        case .stale:
            "This sign-in took too long, was completed already, or began in another browser. Start again."
        case .declined(let code):
            "The identity provider did not sign you in\(code.map { " (\($0))" } ?? ""). Start again, or ask the people who run it."
        case .unusable:
            "The identity provider does not answer as it should. Try again in a minute. If it stays so, ask an operator, who finds the reason in the log."
        case .unverified:
            "The identity provider does not say that your e-mail address is verified. Have it verified there, and start again."
        case .unknown(let email):
            "No member has the address \(email). Ask an owner of your organization to add it."
        case .otherSubject(let email):
            "Another account of the identity provider signs in as \(email). Ask an owner of your organization to separate it from the member."
        }
    }
}
