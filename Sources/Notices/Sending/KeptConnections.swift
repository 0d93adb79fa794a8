import FoundationEssentials
import Locks
import NIOCore

/// The receiver of a connection, for one organization.
///
/// Organizations share no connection, so an answer of one receiver never reaches the deliveries of another organization.
struct Receiver: Hashable, Sendable {
    let organizationID: UUID
    let isEncrypted: Bool
    let host: String
    let port: Int

    init(_ url: WebhookURL, of organization: UUID) {
        organizationID = organization
        isEncrypted = url.isEncrypted
        host = url.host
        port = url.port
    }
}

/// The connections to receivers that wait for their next request.
///
/// A connection stays at the address that was checked when it was opened. It is closed when it has waited for a while. It takes no further
/// request when it is old, so that a change of the receiver's name has an effect.
final class KeptConnections: Sendable {
    /// The limits of the connections that wait.
    struct Limits: Sendable {
        /// The maximum number of connections.
        var total: Int
        /// The maximum number of an organization's connections.
        var perOrganization: Int
        /// The maximum number of connections to a receiver.
        var perReceiver: Int
        /// The maximum wait.
        ///
        /// It is shorter than the 5 s after which many servers close a connection.
        var idle = TimeAmount.seconds(4)
        /// The age from which a connection takes no further request.
        var age = TimeAmount.seconds(60)

        /// Creates limits for a number of connections, of which an organization gets half at most.
        init(total: Int = 128) {
            self.total = total
            perOrganization = total / 2
            perReceiver = min(32, perOrganization)
        }
    }

    private struct Kept: Sendable {
        let channel: any Channel
        let openedAt: NIODeadline
        let timeout: Scheduled<Void>
    }

    private struct State {
        var count = 0
        var organizations: [UUID: Int] = [:]
        var receivers: [Receiver: [Kept]] = [:]
        var isClosed = false

        mutating func add(_ kept: Kept, to receiver: Receiver, _ limits: Limits) -> Bool {
            let organization = organizations[receiver.organizationID] ?? 0
            guard !isClosed, count < limits.total, organization < limits.perOrganization,
                receivers[receiver]?.count ?? 0 < limits.perReceiver
            else { return false }
            count += 1
            organizations[receiver.organizationID] = organization + 1
            receivers[receiver, default: []].append(kept)
            return true
        }

        mutating func removeLast(of receiver: Receiver) -> Kept? {
            guard let last = receivers[receiver]?.indices.last else { return nil }
            return remove(at: last, of: receiver)
        }

        mutating func remove(_ channel: any Channel, to receiver: Receiver) -> Kept? {
            guard let index = receivers[receiver]?.firstIndex(where: { $0.channel === channel }) else { return nil }
            return remove(at: index, of: receiver)
        }

        private mutating func remove(at index: Int, of receiver: Receiver) -> Kept? {
            let kept = receivers[receiver]?.remove(at: index)
            if receivers[receiver]?.isEmpty == true { receivers[receiver] = nil }
            count -= 1
            let rest = (organizations[receiver.organizationID] ?? 1) - 1
            organizations[receiver.organizationID] = rest > 0 ? rest : nil
            return kept
        }
    }

    private let state = Locked(State())
    private let limits: Limits
    private let now: @Sendable () -> NIODeadline

    /// Creates an empty set of connections.
    ///
    /// - Parameters:
    ///   - limits: The limits.
    ///   - now: The current instant. Defaults to the system's clock.
    init(limits: Limits = Limits(), now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.limits = limits
        self.now = now
    }

    /// The current instant, for the age of connections.
    var instant: NIODeadline { now() }

    /// The number of connections that wait.
    var count: Int { state.withLock { $0.count } }

    /// Takes the connection to a receiver that has waited for the shortest time; `nil` if none waits.
    func take(_ receiver: Receiver) -> (any Channel)? {
        let now = now()
        while let kept = state.withLock({ $0.removeLast(of: receiver) }) {
            kept.timeout.cancel()
            if kept.channel.isActive, now - kept.openedAt < limits.age { return kept.channel }
            kept.channel.close(promise: nil)
        }
        return nil
    }

    /// Keeps a connection for the next request to its receiver.
    ///
    /// - Parameters:
    ///   - channel: The connection.
    ///   - receiver: The receiver.
    ///   - openedAt: The instant at which the connection was opened.
    /// - Returns: False if the connection cannot be kept. The caller then closes it.
    func keep(_ channel: any Channel, to receiver: Receiver, openedAt: NIODeadline) -> Bool {
        guard now() - openedAt < limits.age else { return false }
        let timeout: Scheduled<Void> = channel.eventLoop.scheduleTask(in: limits.idle) { [weak self] in
            if self?.remove(channel, to: receiver) == true { channel.close(promise: nil) }
        }
        let kept = Kept(channel: channel, openedAt: openedAt, timeout: timeout)
        let isKept = state.withLock { $0.add(kept, to: receiver, limits) }
        if !isKept { timeout.cancel() }
        return isKept
    }

    /// Removes a connection that has ended.
    ///
    /// - Returns: False if the connection did not wait.
    @discardableResult
    func remove(_ channel: any Channel, to receiver: Receiver) -> Bool {
        let removed = state.withLock { $0.remove(channel, to: receiver) }
        removed?.timeout.cancel()
        return removed != nil
    }

    /// Closes all connections that wait, and keeps no further one.
    func shutdown() {
        let kept = state.withLock { state in
            let kept = state.receivers.values.flatMap { $0 }
            state = State()
            state.isClosed = true
            return kept
        }
        for one in kept {
            one.timeout.cancel()
            one.channel.close(promise: nil)
        }
    }
}
