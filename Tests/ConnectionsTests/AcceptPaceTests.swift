import Connections
import NIOCore
import NIOEmbedded
import Testing

/// The pace at which a listener accepts connections.
@Suite struct AcceptPaceTests {
    /// Counts what reaches the socket of the listener.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = Never

        private(set) var count = 0

        func read(context: ChannelHandlerContext) { count += 1 }
    }

    private final class Contest {
        var goesOn = false
    }

    private let channel = EmbeddedChannel()
    private let reads = Reads()
    private let contest = Contest()

    private func listen() throws {
        try channel.pipeline.syncOperations.addHandlers([reads, AcceptPaceHandler { [contest] in contest.goesOn }])
    }

    private func accept(_ number: Int) {
        for _ in 0..<number { channel.pipeline.fireChannelRead(ByteBuffer()) }
    }

    @Test func `without a contest, a listener accepts without a pause`() throws {
        try listen()
        for count in 1...100 {
            accept(4)
            channel.read()
            #expect(reads.count == count)
        }
        _ = try channel.finish()
    }

    @Test func `during a contest, 2,500 connections are accepted in a second`() throws {
        try listen()
        contest.goesOn = true
        channel.read()
        #expect(reads.count == 1)
        let pause = TimeAmount.nanoseconds(4 * 1_000_000_000 / AcceptPaceHandler.perSecond)
        for count in 2...10 {
            accept(4)
            channel.read()
            // A second demand for connections ends no pause.
            channel.read()
            channel.embeddedEventLoop.advanceTime(by: pause - .nanoseconds(1))
            #expect(reads.count == count - 1)
            channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
            #expect(reads.count == count)
        }
        contest.goesOn = false
        accept(4)
        channel.read()
        #expect(reads.count == 11)
        _ = try channel.finish()
    }
}
