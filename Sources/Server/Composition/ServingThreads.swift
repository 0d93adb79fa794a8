import NIOCore
import NIOPosix
package import Postgres
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
    package init(count: Int) throws(PostgresError) {
        var reactors: [Reactor] = []
        for index in 0..<max(1, count) { reactors.append(try Reactor(name: "postgres-\(index)")) }
        self.reactors = reactors
        eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: max(1, System.coreCount - reactors.count))
    }

    /// The default number of threads that run requests: half of the processors, at most 4.
    ///
    /// HTTP and PostgreSQL need the other half.
    package static var defaultCount: Int { min(4, max(1, System.coreCount / 2)) }

    /// The reactor for the next connection, in turn.
    var next: Reactor {
        reactors[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(reactors.count))]
    }

    /// Stops the threads and closes their connections.
    package func shutdown() async {
        for reactor in reactors { await reactor.shutdown() }
        // The only error is that the group was shut down before.
        try? await eventLoops.shutdownGracefully()
    }
}
