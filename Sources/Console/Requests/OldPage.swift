import Endpoints
import Keys
import Service

/// The page from which a form came, which can be older than the last change, such as one in another tab.
///
/// It has hidden fields with the values that it showed. A form changes only what the person changed in it, so its old values do not undo
/// the change of somebody else.
struct OldPage {
    private let form: FormFields

    /// Creates the page of a form.
    init(_ form: FormFields) { self.form = form }

    /// The change of a field by a person.
    enum Change {
        /// The person left the field as the page showed it, or entered its present value.
        case none
        /// The person changed the field.
        case own
        /// The person and somebody else changed the field to different values.
        case contested
    }

    /// The fields whose values have lines: text areas, and the settings that a page has as lines in a hidden field.
    ///
    /// The others are an `<input>`.
    private static let areas: Set<String> = [
        "description", "scopes", "addresses", "namespaces", "event_types", "limit",
    ]

    /// Returns true if a person who sees two values of a field sees the same.
    ///
    /// A browser removes line ends from the value of an `<input>` (HTML, section 4.10.5.1.2) and keeps them in a hidden field and in a text
    /// area, so the value that comes back can lack those of a name that a program has given.
    ///
    /// - Parameters:
    ///   - field: The field's name.
    ///   - value: A value.
    ///   - other: The other value.
    /// - Returns: True for the same value.
    static func isSame(_ field: String, _ value: String, _ other: String) -> Bool {
        let (value, other) = (plain(value), plain(other))
        return areas.contains(field) ? value == other : value.withoutLineEnds == other.withoutLineEnds
    }

    /// Returns the change of a field.
    ///
    /// - Parameters:
    ///   - field: The field's name.
    ///   - mine: The value that the person sent.
    ///   - shown: The value that the page showed.
    ///   - now: The present value.
    /// - Returns: The change.
    static func change(of field: String, to mine: String, shown: String, now: String) -> Change {
        if isSame(field, mine, shown) || isSame(field, mine, now) { return .none }
        return isSame(field, shown, now) ? .own : .contested
    }

    /// Returns a text with one form of line ends, because a browser sends another one than it got.
    static func plain(_ text: String) -> String { text.withLineFeeds.trimmed }

    /// Returns the fault of a contested field.
    static func fault(now: String) -> String {
        let text = plain(now)
        let value = text.isEmpty ? "empty" : "\u{201C}\(text.replacing("\n", with: ", "))\u{201D}"
        return "Somebody changed this meanwhile. It is now \(value). Save again to replace it."
    }

    /// Returns the hidden fields for a page that shows some values.
    static func hidden(_ shown: [(field: String, value: String)]) -> [[String: Any]] {
        shown.map { ["name": "shown_\($0.field)", "value": $0.value] }
    }

    /// Returns the text for the hidden field `shown_changed`, which stands for all that a page shows of an object.
    static func changed(_ time: Timestamp) -> String { "\(time.microsecondsSinceUnixEpoch)" }

    /// Throws if somebody has changed an object since the page showed it, so that an old page does not undo what happened since.
    ///
    /// Call it only if there is something to undo: a form that has done its work already, such as after a second click, undoes nothing.
    ///
    /// - Throws: `Refusal.conflict`.
    func requireUnchanged(_ name: String, since time: Timestamp) throws(Refusal) {
        guard let shown = shown("changed"), shown != Self.changed(time) else { return }
        throw .conflict("Somebody changed the \(name) meanwhile. Nothing was changed. Look at it again.")
    }

    /// Runs a body that reads an object, compares it with a form, and changes it if it is still the same.
    ///
    /// Somebody else can save between the comparison and the change. The body then runs again, and compares with what is there now.
    ///
    /// - Throws: `Refusal.busy` if that happens five times; the body's errors.
    static func comparing(_ body: () async throws -> EndpointResponse) async throws -> EndpointResponse {
        for _ in 0..<5 {
            do { return try await body() } catch is ChangedMeanwhile { continue }
        }
        throw Refusal.busy
    }

    // MARK: Fields

    /// Returns true if the form changes a field, and adds a fault if the field is contested.
    ///
    /// - Parameters:
    ///   - field: The field's name.
    ///   - mine: The value that the form has.
    ///   - now: The present value.
    ///   - label: The present value in words, if it is a code.
    ///   - faults: Gets the fault.
    /// - Returns: True if the value is to be saved.
    func changes(
        _ field: String,
        to mine: String,
        from now: String,
        label: String? = nil,
        _ faults: inout FormFaults
    ) -> Bool {
        switch Self.change(of: field, to: mine, shown: shown(field) ?? now, now: now) {
        case .none: return false
        case .own: return true
        case .contested:
            faults.add(field, Self.fault(now: label ?? now))
            return false
        }
    }

    /// Returns the value of a field for the next page: what the person entered, or the present value if the person did not change it.
    func value(_ field: String, now: String) -> String {
        guard form.contains(field) else { return now }
        if let shown = shown(field), Self.isSame(field, form[field], shown) { return now }
        return form[field]
    }

    /// Returns the value that the page showed, or `nil` if it has no such hidden field.
    func shown(_ field: String) -> String? {
        form.contains("shown_\(field)") ? form["shown_\(field)"] : nil
    }
}

extension String {
    /// The text without line feeds, and without the white space that is then around it.
    fileprivate var withoutLineEnds: String { replacing("\n", with: "").trimmed }
}
