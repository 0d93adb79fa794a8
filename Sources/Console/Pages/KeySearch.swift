import KeyStore
import Keys

/// The search, the filters and the order of a list of keys, as the query of its target has them.
struct KeySearch {
    private let fields: FormFields

    init(_ query: FormFields) { fields = query }

    private static let names = ["q", "status", "mode", "owner", "ends", "unused"]

    /// True if the list can lack keys that exist.
    var isFiltered: Bool { Self.names.contains { fields.text($0) != nil } }

    /// Returns the question, with days before and after an instant.
    func browse(at now: Timestamp) -> KeyBrowse {
        var browse = KeyBrowse(order: order, isAscending: isAscending)
        browse.query = fields.text("q").map { String($0.prefix(255)) }
        browse.status = KeyStatus(rawValue: fields["status"])
        browse.mode = KeyMode(rawValue: fields["mode"])
        browse.owner = fields.text("owner")
        browse.endsBefore = days("ends").map { now + $0 }
        browse.unused = fields["unused"] == "ever" ? .ever : days("unused").map { .since(now - $0) }
        browse.cursor = KeyBrowse.Cursor(fields["after"], of: order)
        return browse
    }

    private func days(_ name: String) -> Duration? {
        Int(fields[name]).map { .seconds(min(max($0, 0), 3660) * 86_400) }
    }

    private var order: KeyBrowse.Order { KeyBrowse.Order(rawValue: fields["sort"]) ?? .created }

    private var isAscending: Bool {
        switch fields["dir"] {
        case "asc": true
        case "desc": false
        default: Self.isAscendingFirst(order)
        }
    }

    /// Returns true if the smallest value is what people look for first.
    private static func isAscendingFirst(_ order: KeyBrowse.Order) -> Bool { order == .name || order == .ends }

    /// Returns the query of a page with the same filters.
    func query(after cursor: KeyBrowse.Cursor?) -> String {
        fields.query(["after": cursor?.text ?? "", "done": ""])
    }

    // MARK: Values

    /// Returns the values of the search form and of the headings.
    func values(_ owners: [String], _ names: [String: String], _ family: KeyFamily) -> [String: Any] {
        var choices = owners.map { (value: $0, label: KeyView.owner($0, names)) }.sorted { $0.label < $1.label }
        if let owner = fields.text("owner"), !owners.contains(owner) {
            choices.append((owner, KeyView.owner(owner, names)))
        }
        return [
            "q": fields["q"],
            "statuses": SelectView.options(
                [("", "Any status")] + KeyStatus.allCases.map { ($0.rawValue, KeyView.name($0)) },
                selected: fields["status"]
            ),
            "modes": SelectView.options(
                [("", "Any mode"), ("live", "Live"), ("test", "Test")],
                selected: fields["mode"]
            ),
            "owners": SelectView.options([("", "Any owner")] + choices, selected: fields["owner"]),
            "endings": SelectView.options(
                [("", "Any end"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days")],
                selected: fields["ends"]
            ),
            "unuseds": SelectView.options(
                [("", "Any use"), ("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("ever", "Never used")],
                selected: fields["unused"]
            ),
            "sort": fields["sort"], "dir": fields["dir"],
            "headings": [
                heading("Name", .name, "name"), heading("Last used", .used, "used"), heading("Ends", .ends, "ends"),
                heading("Created", .created, "created"),
            ]
            .reduce(into: [String: Any]()) { $0[$1.key] = $1.values },
        ]
    }

    private func heading(_ label: String, _ order: KeyBrowse.Order, _ key: String) -> (
        key: String, values: [String: Any]
    ) {
        let isCurrent = self.order == order
        let next = isCurrent ? !isAscending : Self.isAscendingFirst(order)
        let query = fields.query([
            "sort": order.rawValue, "dir": next ? "asc" : "desc", "after": "", "done": "",
        ])
        return (
            key,
            [
                "label": label, "query": query, "isCurrent": isCurrent,
                "order": isCurrent ? (isAscending ? "ascending" : "descending") : "none",
                "isAscending": isCurrent && isAscending, "isDescending": isCurrent && !isAscending,
            ]
        )
    }
}
