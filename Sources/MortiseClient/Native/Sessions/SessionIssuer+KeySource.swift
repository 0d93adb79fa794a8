extension Mortise.SessionIssuer {
    /// The source of the public keys of a session issuer.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageTenants", slice: "key-set")
    public enum KeySource: Sendable, Hashable {
        /// A URL of a JSON Web Key Set (RFC 7517), which the server reads every hour: `https`, or `http` to the
        /// server's own machine.
        case url(String)
        /// The absolute path of a file with a JSON Web Key Set, on every node of the server.
        case file(String)
        /// A JSON Web Key Set in the request, at most 256 KiB.
        case inline([String: JSONContent])
    }
}
