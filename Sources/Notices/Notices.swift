import FoundationEssentials
import KeyStore
package import Keys
package import Logging
import NIOPosix
import NIOSSL
package import Postgres
package import Tenancy

/// The notices of an installation: it turns events into deliveries of webhooks, makes the deliveries, and looks
/// for keys that need a notice.
///
/// Each node runs one. The control database has the leases by which nodes share the work.
package final class Notices: Sendable {
    /// Announces the events of this node's changes.
    package let announcer: EventAnnouncer

    private let relay: EventRelay
    private let worker: DeliveryWorker
    private let search: NoticeSearch
    private let deliveries = Wakeup()
    private let resolverThreads: NIOThreadPool
    private let slots: AttemptSlots
    private let connections: KeptConnections
    private let waiting = WaitingDeliveries()
    private let databases: Databases
    private let options: NoticeOptions

    /// Creates the notices of a node.
    ///
    /// - Parameters:
    ///   - databases: Lends connections.
    ///   - announcer: Announces the events of this node's changes.
    ///   - searches: The databases that are to be searched for notices soon.
    ///   - secrets: The secrets file.
    ///   - quota: The maximum number of deliveries of an organization that wait for an attempt.
    ///   - options: The settings.
    ///   - logger: The logger.
    /// - Throws: An error if the authorities of the options are no certificates.
    package init(
        _ databases: Databases,
        announcer: EventAnnouncer,
        searches: SearchRequests,
        secrets: SecretsFile,
        quota: Int,
        options: NoticeOptions,
        logger: Logger
    ) throws {
        self.databases = databases
        self.announcer = announcer
        self.options = options
        resolverThreads = NIOThreadPool(numberOfThreads: options.resolverThreads)
        slots = AttemptSlots(total: options.maximumAttempts)
        connections = KeptConnections(limits: KeptConnections.Limits(total: options.keptConnections))
        let node = IdentifierSource.system.id()
        relay = EventRelay(
            node: node,
            databases: databases,
            announcer: announcer,
            deliveries: deliveries,
            slots: RelaySlots(perCluster: databases.backgroundShare),
            waiting: waiting,
            quota: quota,
            options: options,
            logger: logger
        )
        search = NoticeSearch(
            databases: databases,
            announcer: announcer,
            requests: searches,
            options: options,
            logger: logger
        )
        worker = DeliveryWorker(
            node: node,
            databases: databases,
            sender: WebhookSender(
                policy: AddressPolicy(allowing: options.allowedAddresses),
                resolve: options.resolver ?? .system(resolverThreads),
                slots: slots,
                group: MultiThreadedEventLoopGroup.singleton,
                kept: connections,
                trustRoots: try Self.trustRoots(options.authorities)
            ),
            secrets: secrets,
            options: options,
            wakeup: deliveries,
            slots: slots,
            recorder: OutcomeRecorder(store: { batch in
                try await databases.control.pool.withConnection { connection in
                    try await DeliveryQueue(connection: connection).record(batch, by: node)
                }
            }),
            logger: logger
        )
    }

    private static func trustRoots(_ authorities: String?) throws -> NIOSSLTrustRoots {
        guard let authorities else { return .default }
        return .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
    }

    /// The difference between the time of schedules and the database's time.
    package var shift: Duration { options.shift() }

    /// The figures of this node's webhooks, for metrics.
    package var figures: NoticeFigures {
        let underWay = slots.underWay
        return NoticeFigures(
            quickAttempts: underWay.quick,
            slowAttempts: underWay.slow,
            keptConnections: connections.count,
            refusedDeliveries: waiting.refusedCount
        )
    }

    /// Starts the next round of deliveries at once.
    package func wakeDeliveries() { deliveries.wake() }

    /// Reads events and makes deliveries until the task is cancelled.
    package func run() async {
        resolverThreads.start()
        await withTaskGroup { group in
            group.addTask { [relay] in await relay.run() }
            group.addTask { [worker] in await worker.run() }
            if options.searches { group.addTask { [search] in await search.run() } }
        }
    }

    /// Searches every database for keys that need a notice, whether or not a search is due.
    ///
    /// - Throws: The control database's errors.
    package func searchNow() async throws { try await search.searchAll() }

    /// Makes the searches due that were asked for on this node, when the server stops.
    package func noteSearches() async { await search.noteLastRequests() }

    /// Closes the connections to receivers, and ends the threads that resolve names.
    ///
    /// A thread that waits for a name server ends later: a stop does not wait for it.
    package func shutdown() {
        connections.shutdown()
        resolverThreads.shutdownGracefully { _ in }
    }

    /// Deletes deliveries that are older than 30 days, webhooks that were deleted with all of their deliveries, and old counts of reports.
    ///
    /// - Returns: The number of deleted deliveries.
    package func deleteOldDeliveries() async throws -> Int {
        try await databases.control.pool.withConnection { try await LeakReports($0).deleteOld() }
        var count = 0
        while true {
            let batch = try await databases.control.pool.withConnection { try await DeliveryStore($0).deleteOld() }
            count += batch
            if batch == 0 { break }
        }
        return try await count + removeDeletedWebhooks()
    }

    /// Deletes the deliveries of webhooks that were deleted, and then their rows.
    ///
    /// - Returns: The number of deleted deliveries.
    private func removeDeletedWebhooks() async throws -> Int {
        let pool = databases.control.pool
        var count = 0
        for webhook in try await pool.withConnection({ try await DeletedWebhooks($0).ids(of: nil) }) {
            while true {
                let batch = try await pool.withConnection { connection in
                    try await DeletedWebhooks(connection).removeDeliveries(of: webhook)
                }
                count += batch
                if batch < DeletedWebhooks.batch { break }
            }
            try await pool.withConnection { try await DeletedWebhooks($0).removeEmpty(webhook) }
        }
        return count
    }

    /// Empties the outbox of a workspace whose organization has no webhook, and marks one whose organization has.
    ///
    /// It finds what a lost mark left behind.
    ///
    /// - Parameters:
    ///   - workspace: The workspace.
    ///   - connection: A connection to its database.
    /// - Throws: The databases' errors.
    package func tidyOutbox(of workspace: WorkspaceFacts, over connection: PostgresConnection) async throws {
        let outbox = EventOutbox(connection)
        // Events that come after the question for webhooks stay.
        guard let newest = try await outbox.newest() else { return }
        let isWanted = try await databases.control.pool.withConnection { control in
            guard try await WebhookStore(control).hasEnabled(workspace.organizationID) else { return false }
            try await EventSources(connection: control).mark(workspace)
            return true
        }
        if isWanted { return }
        while try await outbox.removeOldest(upTo: newest) > 0 {}
    }
}
