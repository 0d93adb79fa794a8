extension ServerURL {
    /// The reason why a text is not the URL of a server.
    public enum Fault: Error, Sendable, Hashable {
        /// The text is not a URL, has no host, or has a scheme other than `http`, `https` and `http+unix`.
        case notAServer
        /// The URL contains a user name or a password, which logs of the URL would show.
        case credentialsInside
        /// The URL has a query or a fragment.
        case queryOrFragment
    }
}
