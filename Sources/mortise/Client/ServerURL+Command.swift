package import MortiseClient

extension ServerURL {
    /// The default, which is also that of `mortise serve`.
    static let standard = "http://127.0.0.1:8080"

    /// Checks a URL that came from an option or a variable.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if it is none, or if it holds a name and password, a query or a fragment.
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
                throw .usage("\(source) has a name or a password in it; Mortise takes a token instead.")
            case .queryOrFragment: throw .usage("\(source) may not have a query or a fragment.")
            }
        }
    }
}
