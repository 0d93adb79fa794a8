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
    let announcer: EventAnnouncer
    let deliveries: Wakeup
    let slots: RelaySlots
    let waiting: WaitingDeliveries
    /// The maximum number of deliveries of an organization that wait for an attempt.
    let quota: Int
    let options: NoticeOptions
    let logger: Logger

    private static let batch = 100
    /// The pause after a claim, so that the changes of that time share the next one.
    private static let pause = Duration.milliseconds(10)
    /// The pause before a claim of a source is repeated whose lease another node has.
    private static let retryPause = Duration.milliseconds(50)
    private let identifiers = IdentifierSource.system

    /// Reads databases until the task is cancelled, each at its own pace.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await Wakeup().run(every: .seconds(1)) { await announcer.repeatMarks() } }
            await announcer.wakeup.run(every: .seconds(1), pause: Self.pause) {
                let (sources, isComplete) = await claim()
                for claimed in sources {
                    slots.begin(claimed)
                    group.addTask {
                        await relay(claimed.source)
                        slots.end(claimed)
                        announcer.wakeup.wake()
                    }
                }
                if !isComplete, slots.planRetry() {
                    group.addTask {
                        try? await Task.sleep(for: Self.retryPause)
                        slots.beginRetry()
                        announcer.wakeup.wake()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Leases sources for free slots.
    ///
    /// - Returns: The sources, and false if another node has the lease of one that this node has changed.
    private func claim() async -> (sources: [ClaimedSource], isComplete: Bool) {
        let shares = slots.shares
        // The end of each source starts the next claim.
        guard shares.count > 0 else { return ([], true) }
        let now = ContinuousClock.now
        let hints = announcer.hints(except: shares.sources, at: now)
        do {
            return try await databases.control.pool.withConnection { connection in
                let sources = EventSources(connection: connection)
                let claimed = try await sources.claim(by: node, including: hints, shares)
                let ids = claimed.map(\.source.id)
                // Before anything is read: a later change is found by its own hint.
                announcer.take(ids)
                let rest = Set(hints).subtracting(ids)
                if claimed.count == shares.count || rest.isEmpty { return (claimed, true) }
                // A fault here must not give the leases away.
                let missing = (try? await sources.missing(among: rest)) ?? []
                announcer.drop(missing, unchangedSince: now)
                return (claimed, rest.isSubset(of: missing))
            }
        } catch {
            if !Task.isCancelled {
                logger.debug("the sources of events could not be claimed", metadata: ["error": "\(error)"])
            }
            return ([], true)
        }
    }

    /// Reads a batch of a source, and ends its lease.
    private func relay(_ source: EventSource) async {
        let outcome: EventSources.Outcome
        do {
            outcome = try await PostgresDeadline.with(options.relayDeadline) { try await read(source) }
        } catch let error as TenancyError where error.code == .unknownWorkspace {
            outcome = .gone
        } catch {
            outcome = .failed
            logger.debug(
                "the events of a database could not be read",
                metadata: ["source": .string(UUIDv7.text(of: source.id)), "error": "\(error)"]
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

    private func read(_ source: EventSource) async throws -> EventSources.Outcome {
        switch source {
        case .control: return try await moveBatch(from: nil)
        case .workspace(let id):
            guard let facts = try await databases.facts(id: id) else { return .gone }
            return try await moveBatch(from: facts)
        }
    }

    /// Lends a connection to a workspace's database, or to the control database.
    ///
    /// The relay gives each connection back before it asks for the next one. In a full pool, readers that each hold one and want another would
    /// wait for each other.
    private func withConnection<Value>(
        to workspace: WorkspaceFacts?,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        guard let workspace else { return try await databases.control.pool.withConnection(body) }
        return try await databases.withConnection(workspace, body)
    }

    /// Moves one batch of events.
    private func moveBatch(from workspace: WorkspaceFacts?) async throws -> EventSources.Outcome {
        let entries = try await withConnection(to: workspace) { try await EventOutbox($0).read(limit: Self.batch) }
        guard !entries.isEmpty else { return .empty }
        let byOrganization = Dictionary(grouping: entries) { entry in
            workspace?.organizationID ?? entry.event?.organizationID
        }
        for case (let organization?, let entries) in byOrganization {
            try await insert(entries, of: organization, workspace)
        }
        let sequences = entries.map(\.sequence)
        try await withConnection(to: workspace) { try await EventOutbox($0).remove(sequences) }
        return entries.count == Self.batch ? .more : .empty
    }

    private func insert(
        _ entries: [EventOutbox.Entry],
        of organization: UUID,
        _ workspace: WorkspaceFacts?
    ) async throws {
        let webhooks = try await databases.control.readers.withConnection {
            try await WebhookStore($0).enabled(of: organization)
        }
        guard !webhooks.isEmpty else { return }
        let wanted = entries.compactMap { WantedEvent($0, by: webhooks) }
        guard !wanted.isEmpty else { return }
        let ids = wanted.compactMap(\.event.keyID)
        let owners: [KeyOwner] =
            workspace == nil ? [.organization(organization)] : [.workspace, .clients(subject: nil)]
        let keys = try await withConnection(to: workspace) { try await Self.keys(ids, of: owners, reading: $0) }
        let bodies = wanted.map { one in
            let key = one.event.keyID.flatMap { keys[$0] }
            return EventBody(one.event, organization: organization, key: key, sequence: one.sequence).text
        }
        let part = max(1, quota / webhooks.count)
        try await databases.control.pool.withConnection { control in
            let queue = DeliveryQueue(connection: control)
            try await count(Set(wanted.flatMap(\.webhooks)), of: organization, part, in: queue)
            let new = zip(wanted, bodies)
                .map { one, body in
                    let granted = one.webhooks.filter { waiting.add($0, part: part) }
                    return DeliveryQueue.NewEvent(
                        eventID: one.event.id,
                        type: one.type,
                        subjectID: one.event.keyID ?? one.event.workspaceID ?? organization,
                        sequence: one.sequence,
                        body: body,
                        webhooks: granted,
                        refusing: one.webhooks.filter { !granted.contains($0) }
                    )
                }
            let refusal = Self.refusal(part: part, quota: quota)
            let refused = try await queue.insert(new, refusal: refusal, shift: options.shift()) { identifiers.id() }
            waiting.addRefused(refused)
        }
        deliveries.wake()
    }

    /// Counts the waiting deliveries of webhooks whose numbers this node does not know well enough.
    private func count(
        _ webhooks: Set<UUID>,
        of organization: UUID,
        _ part: Int,
        in queue: DeliveryQueue
    ) async throws {
        let now = ContinuousClock.now
        let uncounted = waiting.uncounted(webhooks, part: part, at: now)
        if uncounted.isEmpty { return }
        let numbers: [UUID: Int]
        do {
            numbers = try await PostgresDeadline.with(options.countDeadline) {
                try await queue.waiting(of: uncounted, upTo: part)
            }
        } catch let error as PostgresError where error.code == .deadlineExceeded {
            // The quota must not hold up events. A tenth of the part is accepted before the next count.
            logger.warning(
                "the deliveries of webhooks that wait could not be counted in time",
                metadata: ["organization_id": .string(UUIDv7.text(of: organization))]
            )
            return waiting.set(Dictionary(uniqueKeysWithValues: uncounted.map { ($0, 0) }), at: now)
        }
        waiting.set(numbers, at: now)
        for (id, number) in numbers where number >= part {
            logger.notice(
                "a webhook gets no further events, because its deliveries that wait use up its part of the quota",
                metadata: [
                    "webhook_id": .string(UUIDv7.text(of: id)),
                    "organization_id": .string(UUIDv7.text(of: organization)),
                    "waiting": "\(number)",
                ]
            )
        }
    }

    /// Returns the reason for which a delivery is not sent.
    private static func refusal(part: Int, quota: Int) -> String {
        """
        not sent: \(part) deliveries to this webhook were waiting, its part of the organization's \(quota). \
        Repeat the delivery to send it.
        """
    }

    /// Returns the keys as they are now.
    ///
    /// A key that was deleted is missing.
    private static func keys(
        _ ids: [UUID],
        of owners: [KeyOwner],
        reading connection: PostgresConnection
    ) async throws -> [UUID: KeyRecord] {
        var found: [UUID: KeyRecord] = [:]
        for owner in owners {
            let missing = Set(ids).subtracting(found.keys)
            for key in try await KeyStore(connection).find(Array(missing), in: owner) { found[key.id] = key }
        }
        return found
    }
}

/// An event of an outbox, with the webhooks that are to be told of it.
private struct WantedEvent {
    let event: EventRecord
    let type: String
    let sequence: Int64
    let webhooks: [UUID]

    /// Creates the event of an entry; `nil` if no webhook wants it.
    init?(_ entry: EventOutbox.Entry, by webhooks: [Webhook]) {
        guard let event = entry.event, WebhookEventTypes.isPublished(event.type) else { return nil }
        let type = WebhookEventTypes.name(of: event.type)
        self.webhooks = webhooks.filter { $0.wants(event, type) }.map(\.id)
        if self.webhooks.isEmpty { return nil }
        self.event = event
        self.type = type
        sequence = entry.sequence
    }
}

extension Webhook {
    /// The clocks of two database servers can differ by as much.
    private static let clockDifference = Duration.seconds(1)

    /// Returns true if the webhook is to be told of an event.
    fileprivate func wants(_ event: EventRecord, _ type: String) -> Bool {
        guard workspaceID == nil || workspaceID == event.workspaceID else { return false }
        // Events of no workspace have the same clock as the webhook.
        let tolerance = event.workspaceID == nil ? .zero : Self.clockDifference
        guard event.occurredAt >= createdAt - tolerance else { return false }
        return WebhookEventTypes.matches(eventTypes, type)
    }
}
