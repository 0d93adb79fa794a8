import FoundationEssentials
import KeyStore
import Keys
import Logging
import Postgres
import Tenancy

/// Turns the events of databases into deliveries of webhooks, on this node.
///
/// The deliveries are committed in the control database before the events leave the outbox of their database. A crash between the
/// two repeats the insertion, which changes nothing.
struct EventRelay: Sendable {
    let node: UUID
    let databases: Databases
    let news: EventNews
    let deliveries: Wakeup
    let options: NoticeOptions
    let logger: Logger

    private static let batch = 100
    /// The maximum number of databases that are read at once, so that one that does not answer holds up few others.
    private static let concurrency = 8
    private let identifiers = IdentifierSource.system

    /// Reads databases until the task is cancelled.
    func run() async {
        await news.wakeup.run(every: .seconds(1)) { await round() }
    }

    private func round() async {
        await news.repeatMarks()
        let hints = news.takeHints()
        do {
            let sources = try await databases.control.pool.withConnection {
                try await EventSources(connection: $0).claim(by: node, including: hints, limit: Self.concurrency)
            }
            await withDiscardingTaskGroup { group in
                for source in sources { group.addTask { await relay(source) } }
            }
            if !sources.isEmpty { news.wakeup.wake() }
        } catch {
            if !Task.isCancelled {
                logger.debug("the sources of events could not be claimed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Reads a source to its end, and ends its lease.
    private func relay(_ source: EventSource) async {
        let outcome: EventSources.Outcome
        do {
            switch source {
            case .control:
                outcome = try await databases.control.pool.withConnection { try await relay(over: $0, workspace: nil) }
            case .workspace(let id):
                if let facts = try await databases.facts(id: id) {
                    outcome = try await databases.withConnection(facts) { try await relay(over: $0, workspace: facts) }
                } else {
                    outcome = .gone
                }
            }
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            outcome = .gone
        } catch {
            outcome = .failed
            logger.debug(
                "the events of a database could not be read",
                metadata: ["source": "\(source.id)", "error": "\(error)"]
            )
        }
        do {
            try await databases.control.pool.withConnection {
                try await EventSources(connection: $0).release(source, by: node, outcome)
            }
        } catch {
            logger.debug("the lease of a source of events could not be ended", metadata: ["error": "\(error)"])
        }
    }

    /// Moves one batch of events.
    private func relay(
        over connection: PostgresConnection,
        workspace: WorkspaceFacts?
    ) async throws -> EventSources.Outcome {
        let outbox = EventOutbox(connection)
        let entries = try await outbox.read(limit: Self.batch)
        guard !entries.isEmpty else { return .empty }
        let byOrganization = Dictionary(grouping: entries) { entry in
            workspace?.organizationID ?? entry.event?.organizationID
        }
        for case (let organization?, let entries) in byOrganization {
            try await insert(entries, of: organization, workspace, reading: connection)
        }
        try await outbox.remove(entries.map(\.sequence))
        return entries.count == Self.batch ? .more : .empty
    }

    private func insert(
        _ entries: [EventOutbox.Entry],
        of organization: UUID,
        _ workspace: WorkspaceFacts?,
        reading connection: PostgresConnection
    ) async throws {
        let webhooks = try await databases.control.readers.withConnection {
            try await WebhookStore($0).enabled(of: organization)
        }
        guard !webhooks.isEmpty else { return }
        var keys = KeysOfEvents(store: KeyStore(connection), isWorkspace: workspace != nil, organization: organization)
        var new: [(delivery: DeliveryQueue.NewDelivery, event: EventRecord)] = []
        for entry in entries {
            guard let event = entry.event, WebhookEventTypes.isPublished(event.type) else { continue }
            let type = WebhookEventTypes.name(of: event.type)
            guard webhooks.contains(where: { $0.wants(event, type) }) else { continue }
            let body = EventBody(
                event,
                organization: organization,
                key: try await keys.key(of: event),
                sequence: entry.sequence
            )
            let delivery = DeliveryQueue.NewDelivery(
                eventID: event.id,
                type: type,
                subjectID: event.keyID ?? event.workspaceID ?? organization,
                sequence: entry.sequence,
                body: body.text
            )
            new.append((delivery, event))
        }
        guard !new.isEmpty else { return }
        try await databases.control.pool.withConnection { [new] control in
            try await control.transaction(.default) { control in
                for webhook in webhooks {
                    let wanted = new.filter { webhook.wants($0.event, $0.delivery.type) }.map(\.delivery)
                    try await DeliveryQueue(connection: control)
                        .insert(wanted, to: webhook, shift: options.shift()) { identifiers.id() }
                }
            }
        }
        deliveries.wake()
    }
}

extension Webhook {
    /// The clocks of two database servers can differ by as much.
    private static let clockDifference = Duration.seconds(1)

    /// Returns true if the webhook is to be told of an event.
    fileprivate func wants(_ event: EventRecord, _ type: String) -> Bool {
        guard workspaceID == nil || workspaceID == event.workspaceID else { return false }
        guard event.occurredAt >= createdAt - Self.clockDifference else { return false }
        return WebhookEventTypes.matches(eventTypes, type)
    }
}

/// The keys of a batch of events, each read once.
private struct KeysOfEvents {
    let store: KeyStore
    let isWorkspace: Bool
    let organization: UUID
    private var found: [UUID: KeyRecord?] = [:]

    init(store: KeyStore, isWorkspace: Bool, organization: UUID) {
        self.store = store
        self.isWorkspace = isWorkspace
        self.organization = organization
    }

    /// Returns the key of an event as it is now, or `nil` if there is none.
    mutating func key(of event: EventRecord) async throws -> KeyRecord? {
        guard let id = event.keyID else { return nil }
        if let known = found[id] { return known }
        var key: KeyRecord?
        for owner in isWorkspace ? [KeyOwner.workspace, .clients(subject: nil)] : [.organization(organization)] {
            if key == nil { key = try await store.find(id, in: owner) }
        }
        found[id] = .some(key)
        return key
    }
}
