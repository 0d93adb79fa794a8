import ArgumentParser
import KeyStore
import MortiseClient

/// The audit events to list.
struct EventOptions: ParsableArguments {
    @Option(help: "Only events of this type, such as revoked. (default: all)")
    var type: String?

    @Option(
        help:
            "Only events by this actor: a member's e-mail address, a key's name or the start of its token, or admin-key:ID. (default: all)"
    )
    var actor: String?

    @Option(help: ArgumentHelp("Only events at or after this time (RFC 3339). (default: all)", valueName: "time"))
    var since: PointInTime?

    @Option(help: ArgumentHelp("Only events before this time (RFC 3339). (default: all)", valueName: "time"))
    var until: PointInTime?

    /// The filter for the server, which looks the actor up.
    var filter: MortiseClient.EventFilter {
        MortiseClient.EventFilter(type: type, actor: actor, since: since?.date, until: until?.date)
    }

    /// The name of an actor that the server looks up.
    ///
    /// `nil` without a filter, and for an actor as events have it.
    var actorName: String? { actor.flatMap { ActorKind.isActor($0) ? nil : $0 } }

    /// Returns the columns of a list of events.
    static func columns(_ names: Names, isWide: Bool) -> [TableColumn<Mortise.Event>] {
        let time = [TableColumn<Mortise.Event>("TIME (UTC)") { DisplayText.second($0.occurredAt) }]
        let ago = isWide ? [] : [TableColumn<Mortise.Event>("") { DisplayText.relative($0.occurredAt) }]
        let type = [TableColumn<Mortise.Event>("TYPE", minimum: 12) { $0.type }]
        guard isWide else {
            return time + ago + type + [
                TableColumn("OBJECT", minimum: 12) { DisplayText.optional(names.object(of: $0)) },
                TableColumn("ACTOR", minimum: 12) { names.actor($0.actor) },
                TableColumn("ADDRESS", minimum: 9) { DisplayText.optional($0.address) },
            ]
        }
        return [TableColumn("ID") { $0.id }] + time + type + [
            TableColumn("KEY ID") { DisplayText.optional($0.keyID) },
            TableColumn("KEY", minimum: 12) { DisplayText.optional($0.keyName) },
            TableColumn("ACTOR") { $0.actor },
            TableColumn("ADDRESS", minimum: 9) { DisplayText.optional($0.address) },
            TableColumn("REQUEST", minimum: 9) { DisplayText.optional($0.requestID) },
        ]
    }
}
