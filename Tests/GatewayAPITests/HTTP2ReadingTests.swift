import Connections
import CoreMetrics
import HTTPTestSupport
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

    /// Notes the bytes that reach swift-nio's HTTP/2 handler.
    private final class ByteCollector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private(set) var bytes: [UInt8] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(unwrapInboundIn(data).readableBytesView)
        }
    }

    private static let settings = RawFrame.bytes(4, [0, 4, 0, 1, 0, 0])
    private static let acknowledgement = RawFrame.bytes(4, flags: 1)
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    // The fault: swift-nio ends the connection of a client that opens more than 100 streams before it has seen the settings.
    @Test(arguments: [1, 7, 40, 1000])
    func `settings count as acknowledged at once, and the acknowledgement of the client goes no further`(
        step: Int
    ) throws {
        let channel = EmbeddedChannel()
        let collector = ByteCollector()
        try channel.pipeline.syncOperations.addHandlers([StreamAnnouncement(streams: 256), collector])
        let ping = RawFrame.bytes(6, Array(repeating: 7, count: 8))
        let early = RawFrame.bytes(1, flags: 4, stream: 1, [0, 1, 1]) + ping
        let late = RawFrame.bytes(0, flags: 1, stream: 1, Array(repeating: 1, count: 300))
        // A second acknowledgement is a fault, and its finder is swift-nio.
        let sent = Self.preface + Self.settings + early + Self.acknowledgement + late + Self.acknowledgement
        for start in stride(from: 0, to: sent.count, by: step) {
            try channel.writeInbound(ByteBuffer(bytes: sent[start..<min(start + step, sent.count)]))
        }
        let seen = Self.preface + Self.settings + Self.acknowledgement + early + late + Self.acknowledgement
        #expect(collector.bytes == seen)
        #expect(throws: ChannelPipelineError.self) {
            try channel.pipeline.syncOperations.handler(type: StreamAnnouncement.self)
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `the client learns the limit of streams, and no later frame is changed`() throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(StreamAnnouncement(streams: 256))
        func settings(_ limit: [UInt8]) -> [UInt8] {
            RawFrame.bytes(4, [0, 6, 0, 0, 64, 0, 0, 3] + limit + [0, 4, 0, 0, 255, 255])
        }
        let unlimited: [UInt8] = [127, 255, 255, 255]
        for _ in 0..<2 { try channel.writeOutbound(IOData.byteBuffer(ByteBuffer(bytes: settings(unlimited)))) }
        var sent: [[UInt8]] = []
        while let data = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let bytes) = data { sent.append(Array(bytes.readableBytesView)) }
        }
        #expect(sent == [settings([0, 0, 1, 0]), settings(unlimited)])
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
