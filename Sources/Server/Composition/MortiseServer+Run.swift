import Logging
package import NIOCore
import Notices
import Service
import ServiceLifecycle
import Telemetry
import Tenancy
package import UnixSignals
import Verification

extension MortiseServer {
    /// Serves until a signal, or a graceful shutdown of the task's service group, stops the server.
    ///
    /// A server that stops accepts no more connections, answers the requests that it has accepted, writes its counts, and closes
    /// its databases.
    ///
    /// - Parameters:
    ///   - signals: The signals that stop the server. Defaults to SIGTERM, SIGINT and SIGHUP,
    ///     which a terminal sends when it closes.
    ///   - onListening: A closure that receives the address when the server accepts connections.
    ///   - onGatewayListening: A closure that receives the addresses for gateways, in their order, when they accept connections.
    ///   - onOperationsListening: A closure that receives the address for operators when it accepts connections.
    /// - Throws: The error of the listener or of a service. Everything is closed then.
    package func run(
        signals: [UnixSignal] = [.sigterm, .sigint, .sighup],
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in },
        onGatewayListening: @escaping @Sendable ([SocketAddress]) async -> Void = { _ in },
        onOperationsListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) async throws {
        var settings = ServiceGroupConfiguration(
            services: services(onListening, onGatewayListening, onOperationsListening)
                .map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
            gracefulShutdownSignals: signals,
            logger: logger
        )
        settings.maximumGracefulShutdownDuration = configuration.maximumShutdown
        do {
            try await ServiceGroup(configuration: settings).run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Closes a server that will not run.
    package func close() async {
        await Self.close(platform, outbound)
        await threads.shutdown()
        // The closures hold the databases, whose parts hold the registry.
        registry.endUpdates()
    }

    static func close(_ platform: Platform, _ outbound: OutboundClient) async {
        await platform.shutdown()
        await outbound.shutdown()
        await platform.provisioner.shutdown()
        await platform.databases.shutdown()
    }

    /// Returns the services of the server.
    ///
    /// They stop in reverse order: first readiness, then the listener and its requests, then the writers of counts.
    private func services(
        _ onListening: @escaping @Sendable (SocketAddress) async -> Void,
        _ onGatewayListening: @escaping @Sendable ([SocketAddress]) async -> Void,
        _ onOperationsListening: @escaping @Sendable (SocketAddress) async -> Void
    ) -> [any ServiceLifecycle.Service] {
        let readiness = makeReadiness()
        let work: [any ServiceLifecycle.Service] = [
            BackgroundTask("usage") { [usage = platform.usage, notices = platform.notices] in
                await usage.run()
                await notices.noteSearches()
            },
            BackgroundTask("upkeep") { [self] in await upkeep() },
            BackgroundTask("repair") { [self] in await repair() },
            BackgroundTask("notices") { [notices = platform.notices] in await notices.run() },
            BackgroundTask("removals") { [removals = platform.removalRetries] in await removals.run() },
            BackgroundTask("leaks") { [leaks = platform.leakRetries] in await leaks.run() },
            BackgroundTask("unused look-up connections") { [self] in await closeUnusedLookups() },
            BackgroundTask("sign-in check") { [self] in await checkSignIn() },
            BackgroundTask("clock") { [self] in await watchClock() },
            BackgroundTask("standbys") { [self] in await watchStandbys() },
            BackgroundTask("removed clusters") { [self] in await leaveRemovedClusters() },
            listener(readiness, onListening),
        ]
        // It stops last but for the writers, so that operators see the end of the drain.
        let operators: [any ServiceLifecycle.Service] =
            operationsListener(readiness, onOperationsListening).map { [$0] } ?? []
        let gateways: [any ServiceLifecycle.Service] = gatewayListener(readiness, onGatewayListening).map { [$0] } ?? []
        let notice = DrainNotice(draining: draining, delay: configuration.drainDelay, clock: configuration.drainClock)
        return operators + work + gateways + [notice]
    }

    /// Looks once at the ways in which members can sign in.
    private func checkSignIn() async {
        await platform.checkSignIn()
        // A service that returned would end the others.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
    }

    /// Compares the clock of this node with the database's, again and again.
    private func watchClock() async {
        var watch = ClockWatch()
        while !Task.isCancelled {
            let before = configuration.now()
            // The log has the cause of a database that is unavailable.
            if let theirs = try? await platform.databases.control.time() {
                switch watch.compare(before: before, theirs: theirs, after: configuration.now()) {
                case .differs(let ahead):
                    logger.error(
                        "the clock of this machine differs from the database's",
                        metadata: [
                            "seconds_ahead": .stringConvertible(ahead / 1_000_000),
                            "next": "synchronize both machines (NTP): log lines have the time of this one",
                        ]
                    )
                case .agrees: logger.notice("the clock of this machine agrees with the database's again")
                case nil: break
                }
            }
            try? await Task.sleep(for: configuration.clockInterval)
        }
    }

    /// Reads for the metrics how far standbys lag, again and again.
    private func watchStandbys() async {
        while !Task.isCancelled {
            // The log has the cause of a control database that is unavailable.
            if let found = try? await platform.provisioner.standbys() { standbys.note(found) }
            try? await Task.sleep(for: configuration.standbyInterval)
        }
    }

    /// Leaves the PostgreSQL servers that were removed from the installation, again and again.
    private func leaveRemovedClusters() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.clusterInterval)
            // The log has the cause of a control database that is unavailable.
            guard !Task.isCancelled, let left = try? await platform.databases.leaveRemovedClusters() else { continue }
            if !left.isEmpty { platform.verifier.keys.forgetHomes() }
        }
    }

    /// Closes look-up connections that are not used any more, again and again.
    private func closeUnusedLookups() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.lookupIdleTime)
            if !Task.isCancelled { await platform.databases.closeUnusedLookups() }
        }
    }

    /// Deletes old rows and sessions, again and again.
    private func upkeep() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.upkeepInterval)
            if Task.isCancelled { return }
            await tidying("old rows") { try await platform.upkeep.expire(eventDays: configuration.eventDays) }
            await tidying("old deliveries") { try await platform.notices.deleteOldDeliveries() }
            await tidying("users without a role") { try await platform.upkeep.deleteUsersWithoutRoles() }
            await tidying("old sessions") { try await platform.upkeep.deleteEndedSessions() }
        }
    }

    /// Runs a deletion of the upkeep.
    ///
    /// None of them stops the others.
    private func tidying(_ name: String, _ delete: () async throws -> Int) async {
        do {
            let count = try await delete()
            if count > 0 {
                logger.debug("rows were deleted or rolled up", metadata: ["rows": "\(name)", "count": "\(count)"])
            }
        } catch {
            if Task.isCancelled { return }
            logger.warning("rows could not be deleted", metadata: ["rows": "\(name)", "error": "\(error)"])
        }
    }

    /// Finishes interrupted changes of workspaces, again and again.
    private func repair() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.repairInterval)
            if Task.isCancelled { return }
            do {
                try await platform.upkeep.repair(atRestFor: configuration.repairRest)
            } catch {
                logger.warning("the search for unfinished workspaces failed", metadata: ["error": "\(error)"])
            }
        }
    }
}
