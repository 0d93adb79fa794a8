import Endpoints
import HTTPTypes

/// The entries of a form that was sent after its session had ended, which the page of the sign-in keeps.
///
/// After the sign-in they are those of an earlier form (``FormEntries``): only the person for whom the form was made sees them again, and
/// nothing is changed before that person sends them again.
struct KeptForm {
    /// The maximum size of the entries, in bytes.
    ///
    /// A browser encodes them once more when it sends them with the sign-in, which takes up to three times as much.
    private static let maximumBytes = 40_000

    /// The entries as a browser sends them.
    let text: String

    /// Creates the entries of a form that was sent without a session, or returns `nil` if the form is too large, or is not shown again.
    init?(sentWithoutSession request: ConsoleRequest) {
        guard FormEntries(request, isOfVisitor: true) != nil else { return nil }
        self.init(request.form.text)
    }

    /// Creates the entries that the page of a sign-in kept, or returns `nil` if it kept none.
    init?(signIn request: ConsoleRequest) { self.init(request.form["kept"]) }

    private init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumBytes else { return nil }
        self.text = text
    }

    /// Returns the request with the form, after the sign-in.
    ///
    /// - Parameters:
    ///   - signIn: The request of the sign-in.
    ///   - path: The address of the form.
    /// - Returns: The request.
    func request(after signIn: ConsoleRequest, at path: String) -> ConsoleRequest {
        signIn.with(FormFields(query: text), at: path)
    }

    /// Returns the values of the page of a sign-in.
    ///
    /// - Parameters:
    ///   - path: The address of the form.
    ///   - hasProvider: True if people can also sign in with an account elsewhere, which loses the entries.
    /// - Returns: The values.
    func values(at path: String, hasProvider: Bool) -> [String: Any] {
        let way = hasProvider ? "Sign in with your password" : "Sign in"
        return [
            "kept": text, "next": path,
            "done": "Your session has ended, and nothing was changed. \(way) to see your entries again.",
        ]
    }
}
