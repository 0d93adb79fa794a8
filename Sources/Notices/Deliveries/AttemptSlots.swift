import FoundationEssentials
import Locks

/// The attempts that are under way on this node, by webhook and by organization.
final class AttemptSlots: Sendable {
    /// The maximum number of attempts at once.
    static let total = 128
    /// The number of attempts at once from which a webhook gets no further one.
    static let perWebhook = 4
    /// The number of attempts at once from which an organization gets no further one.
    static let perOrganization = 8

    private struct State {
        var count = 0
        var webhooks: [UUID: Int] = [:]
        var organizations: [UUID: Int] = [:]
    }

    private let state = Locked(State())

    /// The number of free slots, and the webhooks and organizations that get none of them.
    var free: (count: Int, busyWebhooks: [UUID], busyOrganizations: [UUID]) {
        state.withLock { state in
            (
                Self.total - state.count,
                state.webhooks.filter { $0.value >= Self.perWebhook }.map(\.key),
                state.organizations.filter { $0.value >= Self.perOrganization }.map(\.key)
            )
        }
    }

    /// Takes a slot.
    func take(_ webhook: Webhook) { change(webhook, by: 1) }

    /// Returns a slot.
    func giveBack(_ webhook: Webhook) { change(webhook, by: -1) }

    private func change(_ webhook: Webhook, by step: Int) {
        state.withLock { state in
            state.count += step
            Self.change(&state.webhooks, webhook.id, by: step)
            Self.change(&state.organizations, webhook.organizationID, by: step)
        }
    }

    private static func change(_ counts: inout [UUID: Int], _ id: UUID, by step: Int) {
        let count = (counts[id] ?? 0) + step
        counts[id] = count > 0 ? count : nil
    }
}
