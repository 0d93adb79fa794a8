import Connections
import CoreMetrics
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

/// The choice of the connection that makes room for a new one.
@Suite struct OpenConnectionsTests {
    /// Notes the requests to make room.
    private final class Asked: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private(set) var makesRoom = false

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case OpenConnections.Request.makeRoom = event { makesRoom = true }
        }
    }

    /// The client of a connection.
    private struct Client {
        let channel = EmbeddedChannel()
        let asked = Asked()
    }

    @Test func `of many connections, those that are idle longest make room, in this order`() throws {
        let connections = OpenConnections(limit: 1500, NOOPMetricsHandler.instance)
        var clients: [Client] = []
        defer { for client in clients { _ = try? client.channel.finish(acceptAlreadyClosed: true) } }
        func add() throws -> (asked: Asked, entry: OpenConnections.Entry) {
            let client = Client()
            clients.append(client)
            try client.channel.pipeline.syncOperations.addHandler(client.asked)
            return (client.asked, try #require(connections.add(client.channel)))
        }
        var generator = SplitMix64(seed: 1)
        var idle: [UInt64: (asked: Asked, entry: OpenConnections.Entry)] = [:]
        for time in (UInt64(1)...1200).shuffled(using: &generator) {
            let client = try add()
            client.entry.becameIdle(at: .uptimeNanoseconds(time))
            idle[time] = client
        }
        let busy = try (0..<300).map { _ in try add() }
        for time in UInt64(1)...700 {
            _ = try add()
            let victim = try #require(idle[time])
            #expect(victim.asked.makesRoom)
            connections.remove(victim.entry)
        }
        #expect(busy.allSatisfy { !$0.asked.makesRoom })
        #expect((UInt64(701)...1200).allSatisfy { idle[$0]?.asked.makesRoom == false })
        #expect(connections.count == 1500)
    }

    /// The attack: a client has all places, and opens a new connection for each one that it loses.
    @Test func `places are contested while even the longest idle connection had a request a moment ago`() throws {
        let connections = OpenConnections(limit: 2, NOOPMetricsHandler.instance)
        var clients: [EmbeddedChannel] = []
        defer { for client in clients { _ = try? client.finish(acceptAlreadyClosed: true) } }
        func add() -> OpenConnections.Entry? {
            clients.append(EmbeddedChannel())
            return connections.add(clients[clients.count - 1])
        }
        let now = NIODeadline.now()
        let old = try #require(add())
        let new = try #require(add())
        old.becameIdle(at: now - .seconds(60))
        new.becameIdle(at: now)
        #expect(!connections.isContested(at: .now()))
        _ = try #require(add())
        connections.remove(old)
        #expect(!connections.isContested(at: .now()))
        _ = try #require(add())
        connections.remove(new)
        #expect(connections.isContested(at: .now()))
        #expect(!connections.isContested(at: .now() + .seconds(2)))
    }

    /// The attack: a client has all places, and is busy on each.
    @Test func `places are contested while no connection is idle`() throws {
        let connections = OpenConnections(limit: 1, NOOPMetricsHandler.instance)
        let (client, other) = (EmbeddedChannel(), EmbeddedChannel())
        defer { for channel in [client, other] { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        _ = try #require(connections.add(client))
        #expect(connections.add(other) == nil)
        #expect(connections.isContested(at: .now()))
    }
}
