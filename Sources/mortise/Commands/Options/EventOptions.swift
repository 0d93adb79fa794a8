import ArgumentParser
import JSON

/// Which audit events are wanted, and how they are listed.
struct EventFilter: ParsableArguments {
    @Option(help: "Only events of this type, such as revoked.")
    var type: String?

    @Option(help: "Only events by this actor.")
    var actor: String?

    @Option(help: ArgumentHelp("Only events from this time on (RFC 3339).", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only events before this time (RFC 3339).", valueName: "time"))
    var until: String?

    /// The events at a path.
    func listing(_ path: [String]) -> Listing {
        Listing(
            path: path,
            query: [("type", type), ("actor", actor), ("since", since), ("until", until)],
            columns: [
                Column("TIME (UTC)"), Column("TYPE", minimum: 12), Column("KEY"), Column("ACTOR", minimum: 12),
                Column("ADDRESS", minimum: 9),
            ]
        ) { item in
            [
                Wording.minute(item["occurred_at"] ?? item["created_at"]), Wording.text(item["type"]),
                Wording.text(item["key_id"]),
                Wording.text(item["actor"]), Wording.text(item["address"]),
            ]
        }
    }
}
