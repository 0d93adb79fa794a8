/// The entries of a form that are shown again on a page of this session, with a button that sends them.
///
/// Nothing is changed before the person sends them. The form must have been made for the same person in the same organization, which its
/// mark proves, and its request must have come from a page of the console (``ConsoleOrigin``).
struct FormEntries {
    /// The reason to show the entries of a form again.
    enum Reason {
        /// The form's token is not of the present session, such as that of a form in a tab that was open before the last sign-in.
        case earlierSession
        /// The form was answered with 503, so it has possibly done its work, and possibly not.
        case unfinished
    }

    private let form: FormFields
    private let path: String

    /// The fields of secrets, and of the sign-in of a program.
    ///
    /// A form with one of them is not shown again.
    private static let secrets = ["password", "current", "new", "again", "token", "key", "challenge"]

    /// The fields of what a person confirmed or chose with one click on a page of an earlier session.
    private static let confirmed = ["confirmation", "confirmed", "grace", "change", "state", "organization"]

    /// The fields that the page with the entries has itself.
    private static let made: Set<String> = ["csrf", "ticket"]

    /// The hidden fields that say nothing to a person.
    private static let marks: Set<String> = ["edit", "present_end", "confirmed"]

    /// Creates the entries of a form.
    ///
    /// The result is `nil` for a form of somebody else, with one of the refused fields, or without an entry.
    ///
    /// - Parameters:
    ///   - request: The request with the form.
    ///   - reason: The reason to show the entries.
    ///   - isOfVisitor: True if the form was made for the same person in the same organization.
    init?(_ request: ConsoleRequest, _ reason: Reason = .earlierSession, isOfVisitor: Bool) {
        form = request.form
        path = Self.path(request)
        let refused = reason == .earlierSession ? Self.secrets + Self.confirmed : Self.secrets
        guard isOfVisitor, entries.contains(where: { !$0.value.isEmpty }),
            !refused.contains(where: { !request.form[$0].isEmpty }),
            // Ids of several keys say nothing to a person who is to look at them.
            !request.form.fields.contains(where: { $0.name.hasPrefix("key.") })
        else { return nil }
    }

    /// The address of the form.
    ///
    /// The router also finds `//console/`, and a link or a form with that address would lead to a host of that name.
    static func path(_ request: ConsoleRequest) -> String { "/" + request.path.drop { $0 == "/" } }

    /// The title of the page.
    static let title = "The form is of an earlier session"

    /// Returns the values of the template `error` for a form that is not kept.
    static func refusal(_ request: ConsoleRequest) -> [String: Any] {
        [
            "detail":
                "The form is not from a page of this session. Nothing was changed. Open the page again and repeat it there.",
            "back": "Open the page again", "backPath": path(request),
        ]
    }

    private var kept: [(name: String, value: String)] { form.fields.filter { !Self.made.contains($0.name) } }

    private var entries: [(name: String, value: String)] {
        kept.filter { !$0.name.hasPrefix("shown_") && !Self.marks.contains($0.name) }
    }

    /// Returns the values of the template `form-again`: the entries, and a button that sends them again.
    ///
    /// - Parameter workspaces: The names of workspaces by id.
    /// - Returns: The values.
    func values(workspaces: [String: String]) -> [String: Any] {
        // A browser does not send a box that is not ticked.
        let boxes = [("shown_limit", "limits_scopes"), ("shown_expiry_notice_days", "no_expiry_notices")]
            .filter { form.contains($0.0) && !form.contains($0.1) }.map { (name: $0.1, value: "") }
        return [
            "action": path, "fields": kept.map { ["name": $0.name, "value": $0.value] },
            "entries": (entries + boxes)
                .map { entry -> [String: Any] in
                    let text = text(entry.name, entry.value, workspaces)
                    return ["label": Self.label(entry.name), "value": text, "isEmpty": text.isEmpty]
                },
        ]
    }

    private static let boxes: Set<String> = ["limits_scopes", "no_expiry_notices"]

    /// Returns a value for a person.
    private func text(_ name: String, _ value: String, _ workspaces: [String: String]) -> String {
        if name == "workspace", value.isEmpty {
            return path.hasPrefix("/console/webhooks") ? "All workspaces" : "Whole organization"
        }
        if name == "workspace" { return workspaces[value] ?? value }
        if name == "grace" { return GraceChoice.text(value) }
        if Self.boxes.contains(name) || name.hasPrefix("permission") { return value.isEmpty ? "No" : "Yes" }
        return value
    }

    /// The labels of fields that have another name in their form.
    private static let labels = [
        "addresses": "Allowed addresses", "confirmation": "Name, as a confirmation", "grace": "Old token ends",
        "per_minute": "Requests per minute", "per_hour": "Requests per hour",
        "limits_scopes": "Members can give only these scopes", "member_scopes": "Scopes of members",
        "workspace": "Where",
        "leak_action": "Reaction to a leaked token", "ends_on": "Last day", "jwks_url": "URL of the key set",
        "url": "URL",
    ]

    /// Returns the name of a field for a person.
    private static func label(_ name: String) -> String {
        if let label = labels[name] { return label }
        let words = name.replacing("_", with: " ").replacing(".", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
