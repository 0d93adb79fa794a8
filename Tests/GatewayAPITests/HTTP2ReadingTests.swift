import Connections
import CoreMetrics
import NIOCore
import NIOEmbedded
import Testing

/// The reading of a connection of HTTP/2, without a socket.
@Suite struct HTTP2ReadingTests {
    /// Counts the reads that reach the socket.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        private(set) var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    // The attack: a client asks on and on and takes none of the answers, for which no window is needed if they have no body
    // (CVE-2019-9517).
    @Test func `a connection reads no more requests until the client takes its answers`() throws {
        let channel = EmbeddedChannel()
        let connections = OpenConnections(limit: 1, NOOPMetricsHandler.instance)
        let entry = try #require(connections.add(channel))
        let reads = ReadCounter()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(reads)
        try pipeline.addHandler(HTTP2ConnectionHandler(ConnectionLimits(), connections, entry, since: .now()))
        channel.pipeline.read()
        #expect(reads.count == 1)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        for _ in 0..<3 { channel.pipeline.read() }
        #expect(reads.count == 1)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(reads.count == 2)
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(reads.count == 2)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(connections.count == 0)
    }
}
