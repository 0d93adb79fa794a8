import FoundationEssentials
import Locks

/// The attempts and the look-ups of names that are under way on this node, by webhook and by organization.
final class AttemptSlots: Sendable {
    /// The maximum number of attempts at once.
    static let total = 256
    /// The number of attempts at once from which a webhook gets no further one.
    static let perWebhook = 4
    /// The number of attempts at once from which a webhook that fails gets no further one.
    ///
    /// An attempt that gets no answer keeps its slot for 10 s.
    static let perFailingWebhook = 1
    /// The number of attempts at once from which an organization gets no further one.
    static let perOrganization = 32
    /// The number of look-ups at once from which an organization gets no further attempt.
    ///
    /// A look-up can outlive its attempt, because a name server that does not answer keeps a thread for up to half a minute.
    static let lookupsPerOrganization = 16

    private struct State {
        var count = 0
        var webhooks: [UUID: Int] = [:]
        /// The webhooks that had failed when their last attempt was leased.
        var failing: Set<UUID> = []
        var organizations: [UUID: Int] = [:]
        var lookups: [UUID: Int] = [:]
    }

    private let state = Locked(State())

    /// The number of free slots, and the webhooks and organizations that get none of them.
    var free: (count: Int, busyWebhooks: [UUID], busyOrganizations: [UUID]) {
        state.withLock { state in
            (
                Self.total - state.count,
                state.webhooks
                    .filter { id, count in
                        count >= (state.failing.contains(id) ? Self.perFailingWebhook : Self.perWebhook)
                    }
                    .map(\.key),
                state.organizations.filter { $0.value >= Self.perOrganization }.map(\.key)
                    + state.lookups.filter { $0.value >= Self.lookupsPerOrganization }.map(\.key)
            )
        }
    }

    /// Takes a slot.
    func take(_ webhook: Webhook) { change(webhook, by: 1) }

    /// Returns a slot.
    func giveBack(_ webhook: Webhook) { change(webhook, by: -1) }

    /// Counts a look-up that begins.
    func beginLookup(of organization: UUID) {
        state.withLock { Self.change(&$0.lookups, organization, by: 1) }
    }

    /// Counts a look-up that has ended.
    func endLookup(of organization: UUID) {
        state.withLock { Self.change(&$0.lookups, organization, by: -1) }
    }

    private func change(_ webhook: Webhook, by step: Int) {
        state.withLock { state in
            state.count += step
            if webhook.failingSince == nil {
                state.failing.remove(webhook.id)
            } else {
                state.failing.insert(webhook.id)
            }
            Self.change(&state.webhooks, webhook.id, by: step)
            Self.change(&state.organizations, webhook.organizationID, by: step)
            if state.webhooks[webhook.id] == nil { state.failing.remove(webhook.id) }
        }
    }

    private static func change(_ counts: inout [UUID: Int], _ id: UUID, by step: Int) {
        let count = (counts[id] ?? 0) + step
        counts[id] = count > 0 ? count : nil
    }
}
