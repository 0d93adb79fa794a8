import Connections
import CoreMetrics
import NIOCore
import NIOEmbedded
import Testing

/// The pace at which a listener accepts connections, without a socket.
@Suite struct AcceptPaceTests {
    /// Counts the attempts to accept.
    private final class AttemptCounter: ChannelOutboundHandler {
        typealias OutboundIn = Never

        private(set) var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    // The attack: a client has all connections, and opens a new one for each that makes room. Both processors did nothing else.
    @Test func `a listener pauses between its attempts while all connections are taken`() throws {
        let listener = EmbeddedChannel()
        let connections = OpenConnections(limit: 1, NOOPMetricsHandler.instance)
        let attempts = AttemptCounter()
        try listener.pipeline.syncOperations.addHandler(attempts)
        try listener.pipeline.syncOperations.addHandler(AcceptPaceHandler(connections))
        for number in 1...3 {
            listener.pipeline.read()
            #expect(attempts.count == number)
        }
        let entry = try #require(connections.add(listener))
        for _ in 0..<3 { listener.pipeline.read() }
        #expect(attempts.count == 3)
        listener.embeddedEventLoop.advanceTime(by: AcceptPaceHandler.pause)
        #expect(attempts.count == 4)
        connections.remove(entry)
        listener.pipeline.read()
        #expect(attempts.count == 5)
        _ = try listener.finish(acceptAlreadyClosed: true)
    }
}
