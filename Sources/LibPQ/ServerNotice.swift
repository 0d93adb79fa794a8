/// A notice or warning that the server sends beside its answers.
public struct ServerNotice: Sendable {
    /// The severity, such as `NOTICE` or `WARNING`, not translated.
    public let severity: String
    /// The five characters of the SQLSTATE.
    public let sqlState: String
    /// The message, one line, in the server's language.
    public let message: String
    /// The name of the server's C function that sent the notice, which no language changes.
    ///
    /// The value is empty if the server does not tell.
    public let routine: String
}
