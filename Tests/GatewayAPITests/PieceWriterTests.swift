import Connections
import NIOCore
import NIOEmbedded
import Testing

/// The turns of other connections between the pieces of a long answer.
@Suite struct PieceWriterTests {
    private static let long = PieceWriter.shortBytes + 1

    /// A connection whose pieces are told apart by their first byte.
    private final class Wire {
        let channel = EmbeddedChannel()
        private(set) var written: [UInt8] = []
        private(set) var failed: [UInt8] = []

        init() throws { try channel.pipeline.syncOperations.addHandler(PieceWriter()) }

        func write(_ value: UInt8, bytes: Int) {
            let promise = channel.eventLoop.makePromise(of: Void.self)
            let result = promise.futureResult.assumeIsolated()
            result.whenSuccess { [self] in written.append(value) }
            result.whenFailure { [self] _ in failed.append(value) }
            channel.write(ByteBuffer(repeating: value, count: bytes), promise: promise)
        }

        /// Returns the pieces that have left since the last call.
        func left() throws -> [UInt8] {
            var values: [UInt8] = []
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                if let value = bytes.readableBytesView.first { values.append(value) }
            }
            return values
        }

        func passTurn() { channel.embeddedEventLoop.advanceTime(by: PieceWriter.turn) }
    }

    // The attack: a client asks for one list of 16 MB after the other, and no other connection of the event loop is served while one is written.
    @Test func `a long piece is followed by a turn of the other connections, and the order stays`() throws {
        let wire = try Wire()
        wire.write(1, bytes: 100)
        for value in UInt8(2)...4 { wire.write(value, bytes: Self.long) }
        wire.write(5, bytes: 100)
        #expect(try wire.left() == [])
        wire.channel.flush()
        #expect(try wire.left() == [1, 2])
        #expect(wire.written == [1, 2])
        // The next answer waits behind this one.
        wire.write(6, bytes: 100)
        wire.channel.flush()
        #expect(try wire.left() == [])
        wire.passTurn()
        #expect(try wire.left() == [3])
        wire.passTurn()
        #expect(try wire.left() == [4])
        wire.passTurn()
        #expect(try wire.left() == [5, 6])
        #expect(wire.written == [1, 2, 3, 4, 5, 6])
        _ = try wire.channel.finish()
    }

    @Test func `short pieces leave at once`() throws {
        let wire = try Wire()
        for value in UInt8(1)...3 {
            wire.write(value, bytes: PieceWriter.shortBytes)
            wire.channel.flush()
            #expect(try wire.left() == [value])
        }
        _ = try wire.channel.finish()
    }

    @Test func `pieces that wait fail with their connection`() throws {
        let wire = try Wire()
        for value in UInt8(1)...3 { wire.write(value, bytes: Self.long) }
        wire.channel.flush()
        _ = try wire.channel.finish()
        #expect(wire.written == [1] && wire.failed == [2, 3])
    }
}
