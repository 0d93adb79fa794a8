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
    /// - Parameters:
    ///   - count: The number of threads that run requests.
    ///   - eventLoops: The number of threads that read and write HTTP, and answer the checks of gateways from memory.
    /// - Throws: `PostgresError` with code `closed` if the system refuses a descriptor.
    package init(count: Int, eventLoops: Int = ServingThreads.defaultEventLoops) throws(PostgresError) {
        var reactors: [Reactor] = []
        for index in 0..<max(1, count) { reactors.append(try Reactor(name: "postgres-\(index)")) }
        self.reactors = reactors
        self.eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: eventLoops)
    }

    /// The default number of threads that run requests: half of the processors, at most 4.
    ///
    /// Event loops and PostgreSQL need the other half.
    package static var defaultCount: Int { min(4, max(1, System.coreCount / 2)) }

    /// The default number of event loops: one for each processor, because the checks of gateways are answered there from memory.
    package static var defaultEventLoops: Int { System.coreCount }

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
