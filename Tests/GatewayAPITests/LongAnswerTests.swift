import Connections
import CoreMetrics
import Logging
import NIOCore
import NIOPosix
import Testing

/// The pieces in which a connection takes a long answer.
@Suite struct LongAnswerTests {
    // The attack: a client asks for lists of 16 MB and reads them as fast as it can. The event loop served nobody else meanwhile.
    @Test func `a connection takes a piece of a long answer at once`() async throws {
        let loops = MultiThreadedEventLoopGroup.singleton
        let accepted = loops.next().makePromise(of: (any Channel).self)
        let connections = OpenConnections(limit: 10, NOOPMetricsHandler.instance)
        let bootstrap = ServerBootstrap.accepting(connections, on: loops, logger: Logger(label: "tests")) {
            channel,
            _ in
            accepted.succeed(channel)
        }
        let listener = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: loops).connect(to: #require(listener.localAddress)).get()
        let connection = try await accepted.futureResult.get()
        // Linux tells the doubled size.
        let bytes = try await connection.getOption(.socketOption(.so_sndbuf)).get()
        #expect(Int(bytes) == 2 * ServerBootstrap.sendBufferBytes)
        let furtherPieces = try await connection.getOption(.writeSpin).get()
        #expect(furtherPieces == 0)
        try await client.close()
        try await listener.close()
    }
}
