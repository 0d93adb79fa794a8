package import Connections
import Glibc
import Keys
import Locks
import NIOCore
import NIOPosix

/// Drives a server with many connections for some time.
package struct LoadGenerator: Sendable {
    /// The server.
    let place: ListenerPlace
    /// The requests.
    let plan: LoadPlan
    /// The number of connections.
    let connections: Int
    /// The duration of the measurement.
    let duration: Duration

    /// Creates a generator.
    ///
    /// - Parameters:
    ///   - place: The server.
    ///   - plan: The requests.
    ///   - connections: The number of connections.
    ///   - duration: The duration of the measurement.
    package init(place: ListenerPlace, plan: LoadPlan, connections: Int, duration: Duration) {
        self.place = place
        self.plan = plan
        self.connections = connections
        self.duration = duration
    }

    /// The time after the end in which the last answers count.
    private static let patience = TimeAmount.seconds(10)

    /// Opens the connections, drives them, and returns the sum of their counts and the measured time.
    ///
    /// Each connection sends one request that is not measured. The measurement begins when all have their answers. A cancellation
    /// ends it.
    ///
    /// - Throws: The error of a connection that cannot be opened.
    package func run() async throws -> (result: LoadResult, time: Duration) {
        // The server needs the other half of the processors, if it runs on the same machine.
        let threads = min(max(Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))) / 2, 1), connections)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        do {
            let answer = try await drive(group)
            try await group.shutdownGracefully()
            return answer
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func drive(_ group: MultiThreadedEventLoopGroup) async throws -> (result: LoadResult, time: Duration) {
        let window = group.next().makePromise(of: LoadWindow.self)
        var lines: [Line] = []
        do {
            for number in 0..<connections {
                try Task.checkCancellation()
                lines.append(try await open(number, group.next(), window.futureResult))
            }
        } catch {
            for line in lines { line.channel.close(promise: nil) }
            for line in lines { _ = try? await line.result.get() }
            window.fail(error)
            throw error
        }
        let open = lines
        return await withTaskCancellationHandler {
            for line in open { try? await line.ready.get() }
            let start = NIODeadline.now()
            let end = start + .nanoseconds(duration.wholeNanoseconds)
            window.succeed(LoadWindow(start: start, end: end))
            let limit = group.next().scheduleTask(deadline: end + Self.patience) { Self.close(open) }
            var sum = LoadResult()
            for line in open { sum.merge((try? await line.result.get()) ?? LoadResult()) }
            limit.cancel()
            let time = min(Duration.nanoseconds((.now() - start).nanoseconds), duration)
            return (sum, time)
        } onCancel: {
            Self.close(open)
        }
    }

    private static func close(_ lines: [Line]) {
        for line in lines { line.channel.close(promise: nil) }
    }

    /// An open connection.
    private struct Line: Sendable {
        let channel: any Channel
        let ready: EventLoopFuture<Void>
        let result: EventLoopFuture<LoadResult>
    }

    private func open(
        _ number: Int,
        _ eventLoop: any EventLoop,
        _ window: EventLoopFuture<LoadWindow>
    ) async throws -> Line {
        let ready = eventLoop.makePromise(of: Void.self)
        let result = eventLoop.makePromise(of: LoadResult.self)
        let bootstrap = ClientBootstrap.forLoad(eventLoop)
            .channelInitializer { [plan, connections] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        LoadConnection(plan, number, of: connections, ready: ready, window: window, result: result)
                    )
                }
            }
        do {
            let channel = try await bootstrap.connect(to: place)
            return Line(channel: channel, ready: ready.futureResult, result: result.futureResult)
        } catch {
            ready.fail(error)
            result.fail(error)
            throw error
        }
    }
}
