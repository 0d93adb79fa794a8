package import MortiseClient

extension ServerURL {
    /// The default server, where `mortise serve` listens by default.
    static let standard = "http://127.0.0.1:8080"

    /// The environment variable.
    private static let variable = "MORTISE_URL"

    /// Finds the server in the option, else in the environment variable, else the default.
    static func find(option url: String?) throws(CommandFailure) -> ServerURL {
        if let given = try given(option: url) { return given }
        return try ServerURL(standard, from: variable)
    }

    /// Finds the server in the option, else in the environment variable.
    ///
    /// `nil` if neither names one.
    static func given(option url: String?) throws(CommandFailure) -> ServerURL? {
        if let url { return try ServerURL(url, from: "--url") }
        guard let text = Environment.value(variable) else { return nil }
        return try ServerURL(text, from: variable)
    }

    /// Checks a URL from an option or a variable.
    ///
    /// - Parameters:
    ///   - text: The URL.
    ///   - source: The name of the option or variable, for the error message.
    /// - Throws: `CommandFailure` of kind `usage` if the text is no URL of a server, or if it holds a user name, a
    ///   password, a query or a fragment.
    package init(_ text: String, from source: String) throws(CommandFailure) {
        do {
            self = try ServerURL(text)
        } catch {
            switch error {
            case .notAServer:
                throw .usage(
                    "\(source) is not the URL of a server, such as \(ServerURL.standard) or https://keys.example.com."
                )
            case .credentialsInside:
                throw .usage("\(source) holds a user name or a password. Mortise takes a token instead.")
            case .queryOrFragment: throw .usage("\(source) must not have a query or a fragment.")
            }
        }
    }
}
