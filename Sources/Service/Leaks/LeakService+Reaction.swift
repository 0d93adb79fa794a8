import FoundationEssentials
import JSON
import KeyStore
import Keys
import Notices
import Postgres
import Tenancy
import Verification

/// The reaction to a leak: one change of the key, with its events.
extension LeakService {
    /// The time within which a token has one event of a leak.
    ///
    /// Whoever has a token could otherwise fill the history of its key.
    fileprivate static let repetition = Duration.seconds(86_400)

    /// The number of earlier leaks that are searched: those of years.
    private static let searched = 1000

    /// The maximum number of addresses to which a key can be confined.
    private static let mostAddresses = 1000

    private static let reason = "The token was found in a public place."

    /// The restrictions of a client key that only administration lifts after a quarantine.
    private static let held: Set<String> = [Authority.enabled, KeyBounds.Restriction.addresses.rawValue]

    /// Records a leak, and stops the key as far as its organization wants it.
    ///
    /// - Parameters:
    ///   - leak: The leak.
    ///   - leaked: The key.
    /// - Throws: `Refusal.notFound` if the key was deleted, other refusals, and the database's errors.
    func react(to leak: Leak, of leaked: LeakedKey) async throws {
        let caller = Caller(principal: .system, address: leak.address, requestID: leak.requestID)
        do {
            try await apply(leaked.action, to: leaked, leak, caller)
        } catch Refusal.conflict {
            // The last operator key that works goes on, because nobody could create another one. The history has the leak.
            try await apply(.notify, to: leaked, leak, caller)
        }
    }

    private func apply(_ action: LeakAction, to leaked: LeakedKey, _ leak: Leak, _ caller: Caller) async throws {
        let secret = leaked.key.state.secretID
        _ = try await changes.modify(leaked.key.state.keyID, in: leaked.keys, by: caller, .stops) { key, change in
            let connection = change.transaction.connection
            // A rotation deletes secrets that ended long ago.
            guard let prefix = key.prefix(of: secret) else { throw Refusal.notFound }
            let history = try await Self.history(of: prefix, of: key.id, over: connection)
            let reaction = Self.effective(action, on: key, secret: secret, history)
            var events: [(type: EventType, changes: EventChanges)] = []
            if reaction == .quarantine || !history.isRecent(at: change.now) {
                events.append((.leaked, Self.details(of: leak, prefix, reaction)))
            }
            switch reaction {
            case .notify: break
            case .quarantine:
                let addresses = try await addresses(of: key, over: connection)
                let old = key
                events += Self.quarantine(&key, to: addresses, at: change.now)
                // Its subject can have set the same restriction before, and could lift it again.
                key = change.authority().holding(key, after: old, restricting: Self.held)
            case .revoke: events.append(Self.revoke(&key, by: change.caller, at: change.now))
            }
            return events
        }
    }

    /// Returns the addresses from which a key was used, the newest ones first.
    ///
    /// A flush has not written the last second of this node yet. The addresses of the last second of other nodes are not known here.
    private func addresses(of key: KeyRecord, over connection: PostgresConnection) async throws -> [IPAddress] {
        // A flush can write them before the next statement, which reads them then.
        let waiting = context.usage.addresses(of: key.secrets.map(\.id))
        let written = try await UsageStore(connection).addresses(of: key.id)
        return waiting.subtracting(written).sorted { $0.description < $1.description } + written
    }

    // MARK: The decision

    /// The earlier leaks of a token.
    private struct History {
        /// The time of the last event.
        var last: Timestamp?
        /// True if the key was put in quarantine because of the token.
        var isQuarantined = false

        /// Returns true if the last event is so new that another one would say nothing.
        func isRecent(at now: Timestamp) -> Bool { last.map { $0 + LeakService.repetition > now } ?? false }
    }

    /// Reads the earlier leaks of the token with a prefix.
    ///
    /// The key's row is locked, so two concurrent reports see each other.
    private static func history(
        of prefix: String,
        of key: UUID,
        over connection: PostgresConnection
    ) async throws -> History {
        let filter = EventFilter(keyID: key, type: EventType.leaked.rawValue)
        var history = History()
        for event in try await EventStore(connection).list(filter, after: nil, limit: searched) {
            let details = try? JSONValue(parsing: event.changes.utf8)
            guard details?["prefix"]?.string == prefix else { continue }
            history.last = max(history.last ?? event.occurredAt, event.occurredAt)
            if details?["action"]?.string == LeakAction.quarantine.rawValue { history.isQuarantined = true }
        }
        return history
    }

    /// Returns the reaction that is left for a key.
    ///
    /// A secret that has ended opens nothing, and a rotation must not be followed by the end of the new secret. A quarantine comes once for
    /// a token: what the owner changes afterwards stays.
    private static func effective(
        _ action: LeakAction,
        on key: KeyRecord,
        secret: UUID,
        _ history: History
    ) -> LeakAction {
        guard key.revokedAt == nil, key.secrets.contains(where: { $0.id == secret }) else { return .notify }
        return action == .quarantine && history.isQuarantined ? .notify : action
    }

    /// Returns the details of the event `leaked`, which never have the token.
    private static func details(of leak: Leak, _ prefix: String, _ action: LeakAction) -> EventChanges {
        var details = EventChanges()
        details.add("source", leak.source.rawValue)
        details.add("url", leak.url)
        details.add("prefix", prefix)
        details.add("action", action.rawValue)
        return details
    }

    // MARK: The reactions

    private static func revoke(
        _ key: inout KeyRecord,
        by caller: Caller,
        at now: Timestamp
    ) -> (type: EventType, changes: EventChanges) {
        key.revokedAt = now
        if key.kind != .client { key.uniqueName = nil }
        key.revokedBy = caller.principal.actor
        key.revocationReason = reason
        var details = EventChanges()
        details.add("reason", reason)
        return (.revoked, details)
    }

    /// Confines a key to the addresses that used it, as far as it allows them already.
    ///
    /// A list without addresses would allow all of them, so a key without a known address is disabled. The event has the number of the
    /// addresses, because webhooks are not told of clients' addresses. The key itself has them.
    private static func quarantine(
        _ key: inout KeyRecord,
        to addresses: [IPAddress],
        at now: Timestamp
    ) -> [(type: EventType, changes: EventChanges)] {
        let ranges = key.allowedAddresses.compactMap { try? AddressRange($0) }
        let isFree = key.allowedAddresses.isEmpty
        let allowed = addresses.filter { address in isFree || ranges.contains { $0.contains(address) } }
            .prefix(mostAddresses).map(\.description)
        var details = EventChanges()
        guard !allowed.isEmpty else {
            guard key.disabledAt == nil else { return [] }
            key.disabledAt = now
            details.add("reason", reason)
            return [(.disabled, details)]
        }
        guard allowed != key.allowedAddresses else { return [] }
        let noun = allowed.count == 1 ? "address" : "addresses"
        details.add("allowed_ips", from: key.allowedAddresses, to: "\(allowed.count) \(noun) that used the key")
        details.add("reason", reason)
        key.allowedAddresses = allowed
        return [(.updated, details)]
    }
}
