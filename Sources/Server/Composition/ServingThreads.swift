import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Postgres
import Synchronization

/// The threads of a server: some wait for HTTP, the others for PostgreSQL, and these run the requests too.
///
/// A request needs PostgreSQL's answers more often than it needs its client, so it is answered where those arrive: what all requests of a
/// round ask leaves in one write, and an answer reaches its request without a switch of threads. `docs/performance.md` has the figures.
package final class ServingThreads: Sendable {
    /// Where requests run and connections to databases live.
    let reactors: [Reactor]
    /// Where HTTP is read and written.
    let eventLoops: MultiThreadedEventLoopGroup
    private let turn = Atomic<Int>(0)

    /// Starts them.
    ///
    /// - Parameter count: how many run requests.
    /// - Throws: `closed` when the system refuses a descriptor.
    init(count: Int) throws(PostgresError) {
        var reactors: [Reactor] = []
        for index in 0..<max(1, count) { reactors.append(try Reactor(name: "postgres-\(index)")) }
        self.reactors = reactors
        eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount - reactors.count))
    }

    /// Half of the processors, for HTTP and PostgreSQL want the other half; and at most 4, because each has its own connections.
    package static var defaultCount: Int { min(4, max(1, System.coreCount / 2)) }

    /// The reactor whose turn it is to get a connection.
    var next: Reactor {
        reactors[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(reactors.count))]
    }

    /// Ends them; what is still open is closed.
    func shutdown() async {
        for reactor in reactors { await reactor.shutdown() }
        // It can only fail by having been shut down.
        try? await eventLoops.shutdownGracefully()
    }

    /// HTTP/1.1 connections whose requests run on these threads.
    func channel(_ base: HTTP1Channel) -> some ServerChildChannel { ReactorChannel(base: base, threads: self) }
}

/// A connection, all of whose requests run on one reactor.
private struct ReactorChannel: ServerChildChannel {
    let base: HTTP1Channel
    let threads: ServingThreads

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(threads.next) { await base.handle(value: value, logger: logger) }
    }
}
