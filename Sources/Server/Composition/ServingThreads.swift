import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Postgres
import Synchronization

/// The threads of a server: event loops wait for HTTP, and reactors wait for PostgreSQL and run the requests.
///
/// A request waits for PostgreSQL more often than for its client, so it runs on the thread that PostgreSQL's answers arrive at. The
/// queries of all requests in a round leave in one write, and an answer reaches its request without a switch of threads.
/// `docs/performance.md` has the figures.
package final class ServingThreads: Sendable {
    /// The threads that run requests and own the connections to databases.
    let reactors: [Reactor]
    /// The threads that read and write HTTP.
    let eventLoops: MultiThreadedEventLoopGroup
    private let turn = Atomic<Int>(0)

    /// Starts the threads.
    ///
    /// - Parameter count: The number of threads that run requests.
    /// - Throws: `PostgresError` with code `closed` if the system refuses a descriptor.
    init(count: Int) throws(PostgresError) {
        var reactors: [Reactor] = []
        for index in 0..<max(1, count) { reactors.append(try Reactor(name: "postgres-\(index)")) }
        self.reactors = reactors
        eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount - reactors.count))
    }

    /// The default number of threads that run requests: half of the processors, at most 4.
    ///
    /// HTTP and PostgreSQL need the other half. Each thread has its own connections, which limits the number.
    package static var defaultCount: Int { min(4, max(1, System.coreCount / 2)) }

    /// The reactor for the next connection, in turn.
    var next: Reactor {
        reactors[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(reactors.count))]
    }

    /// Stops the threads and closes their connections.
    func shutdown() async {
        for reactor in reactors { await reactor.shutdown() }
        // The only error is that the group was shut down before.
        try? await eventLoops.shutdownGracefully()
    }

    /// Returns the handling of HTTP/1.1 connections whose requests run on these threads.
    func channel(
        _ base: HTTP1Channel,
        _ limits: ConnectionLimits,
        _ connections: OpenConnections
    ) -> some ServerChildChannel {
        ReactorChannel(base: base, threads: self, limits: limits, connections: connections)
    }
}

/// A connection within limits, which runs all of its requests on one reactor.
private struct ReactorChannel: ServerChildChannel {
    let base: HTTP1Channel
    let threads: ServingThreads
    let limits: ConnectionLimits
    let connections: OpenConnections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        guard let entry = connections.add(channel) else {
            // The listener goes on after the failure of one connection.
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(ChannelError.eof)
        }
        channel.closeFuture.whenComplete { _ in connections.remove(entry) }
        return base.setup(channel: channel, logger: logger)
            .flatMapThrowing { value in
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
                let handler = ConnectionHandler(limits, connections, entry)
                try pipeline.addHandler(handler, position: .after(decoder))
                return value
            }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(threads.next) { await base.handle(value: value, logger: logger) }
    }
}
