/// The values of an element for a choice in templates.
enum SelectView {
    /// Returns the options, of which one is selected.
    static func options(_ options: [(value: String, label: String)], selected: String) -> [[String: Any]] {
        options.map { ["value": $0.value, "label": $0.label, "selected": $0.value == selected] }
    }
}
