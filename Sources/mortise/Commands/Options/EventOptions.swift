import ArgumentParser
import MortiseClient

/// The audit events to list.
struct EventOptions: ParsableArguments {
    @Option(help: "Only events of this type, such as revoked. (default: all)")
    var type: String?

    @Option(help: "Only events by this actor, such as admin-key:ID. (default: all)")
    var actor: String?

    @Option(help: ArgumentHelp("Only events at or after this time (RFC 3339). (default: all)", valueName: "time"))
    var since: PointInTime?

    @Option(help: ArgumentHelp("Only events before this time (RFC 3339). (default: all)", valueName: "time"))
    var until: PointInTime?

    /// The filter for the server.
    var filter: EventFilter { EventFilter(type: type, actor: actor, since: since?.date, until: until?.date) }

    /// The columns of a list of events.
    static let columns = [
        TableColumn<Mortise.Event>("TIME (UTC)") { DisplayText.minute($0.occurredAt) },
        TableColumn("TYPE", minimum: 12) { $0.type },
        TableColumn("KEY") { DisplayText.optional($0.keyID) },
        TableColumn("ACTOR", minimum: 12) { $0.actor },
        TableColumn("ADDRESS", minimum: 9) { DisplayText.optional($0.address) },
    ]
}
