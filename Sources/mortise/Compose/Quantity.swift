/// Returns a number and a noun in the singular or the plural: "1 workspace", "3 workspaces".
func quantity(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(plural ?? "\(noun)s")"
}
