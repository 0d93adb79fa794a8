package import NIOCore

/// The time of a measurement.
struct LoadWindow: Sendable {
    let start: NIODeadline
    let end: NIODeadline
}

/// The requests of a load test, which all connections share.
package struct LoadPlan: Sendable {
    let requests: [PreparedRequest]
    /// The indices of the requests in the order in which a connection sends them.
    let order: [Int]
    /// The time between two requests of one connection; `nil` sends the next request after each answer.
    let interval: TimeAmount?

    /// Creates a plan.
    ///
    /// - Parameters:
    ///   - requests: The requests.
    ///   - order: The indices of the requests in the order in which a connection sends them.
    ///   - interval: The time between two requests of one connection; `nil` sends the next request after each answer.
    package init(requests: [PreparedRequest], order: [Int], interval: TimeAmount?) {
        self.requests = requests
        self.order = order
        self.interval = interval
    }
}

/// One connection of the load tool, which has one request under way at a time.
///
/// With an interval, each request has a time at which it is due. Its latency counts from then, even if it could not be sent because
/// the answer before was late. Otherwise a server that stalls would delay the requests that would have shown it (coordinated
/// omission).
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// The first request is under way. It is not measured, because it opens connections behind the server.
        case warmingUp(PreparedRequest)
        /// The connection waits for the others.
        case ready
        /// The next request is due later.
        case idle(LoadWindow, due: NIODeadline)
        /// A request is under way.
        case waiting(LoadWindow, PreparedRequest, due: NIODeadline)
        /// The connection is done.
        case ended
    }

    private let plan: LoadPlan
    private let number: Int
    private let total: Int
    private let ready: EventLoopPromise<Void>
    private let window: EventLoopFuture<LoadWindow>
    private let result: EventLoopPromise<LoadResult>
    private var state = State.ready
    private var position: Int
    private var parser = AnswerParser()
    private var counts = LoadResult()

    init(
        _ plan: LoadPlan,
        _ number: Int,
        of total: Int,
        ready: EventLoopPromise<Void>,
        window: EventLoopFuture<LoadWindow>,
        result: EventLoopPromise<LoadResult>
    ) {
        self.plan = plan
        self.number = number
        self.total = total
        self.ready = ready
        self.window = window
        self.result = result
        // The connections begin at different places of the order.
        position = number * 997
    }

    func channelActive(context: ChannelHandlerContext) {
        state = .warmingUp(send(context))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        parser.receive(&bytes)
        do throws(BenchAnswerFault) {
            while let answer = try parser.next() { receive(answer, context) }
        } catch {
            counts.firstWrong = counts.firstWrong ?? "an answer that is not HTTP/1.1 with a Content-Length"
            context.close(promise: nil)
        }
    }

    private func receive(_ answer: BenchAnswer, _ context: ChannelHandlerContext) {
        switch state {
        case .warmingUp(let request):
            if !request.accepts(answer) { note(answer, to: request) }
            state = .ready
            ready.succeed(())
            window.hop(to: context.eventLoop).assumeIsolated()
                .whenSuccess { [self] window in
                    guard case .ready = state else { return }
                    begin(window, context)
                }
        case .waiting(let window, let request, let due):
            counts.latencies.record((.now() - due).nanoseconds)
            if request.accepts(answer) {
                counts.right[request.kind, default: 0] += 1
            } else {
                counts.wrong += 1
                note(answer, to: request)
            }
            guard !answer.closes else { return context.close(promise: nil) }
            next(window, after: due, context)
        case .ready, .idle, .ended: break
        }
    }

    private func note(_ answer: BenchAnswer, to request: PreparedRequest) {
        guard counts.firstWrong == nil else { return }
        let body = String(decoding: answer.body.readableBytesView.prefix(300), as: UTF8.self)
        counts.firstWrong = "\(answer.status) for a token that is \(request.kind.rawValue): \(body)"
    }

    private func begin(_ window: LoadWindow, _ context: ChannelHandlerContext) {
        guard let interval = plan.interval else { return start(window, due: .now(), context) }
        // The connections take turns.
        let due = window.start + .nanoseconds(interval.nanoseconds * Int64(number) / Int64(total))
        guard due < window.end else { return end(context) }
        wait(window, until: due, context)
    }

    private func next(_ window: LoadWindow, after due: NIODeadline, _ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        guard let interval = plan.interval else {
            return now < window.end ? start(window, due: now, context) : end(context)
        }
        let next = due + interval
        if next >= window.end { return end(context) }
        guard now < window.end else {
            miss(from: next, window.end, interval)
            return end(context)
        }
        wait(window, until: next, context)
    }

    /// Counts the requests that were due and not sent, with the time that they waited in vain.
    private func miss(from first: NIODeadline, _ end: NIODeadline, _ interval: TimeAmount) {
        var due = first
        while due < end {
            counts.latencies.record((.now() - due).nanoseconds)
            counts.missed += 1
            due = due + interval
        }
    }

    private func wait(_ window: LoadWindow, until due: NIODeadline, _ context: ChannelHandlerContext) {
        guard due > .now() else { return start(window, due: due, context) }
        state = .idle(window, due: due)
        context.eventLoop.assumeIsolated()
            .scheduleTask(deadline: due) { [self] in
                guard case .idle(let window, let due) = state else { return }
                start(window, due: due, context)
            }
    }

    private func start(_ window: LoadWindow, due: NIODeadline, _ context: ChannelHandlerContext) {
        state = .waiting(window, send(context), due: due)
    }

    private func send(_ context: ChannelHandlerContext) -> PreparedRequest {
        let request = plan.requests[plan.order[position % plan.order.count]]
        position += 1
        context.writeAndFlush(wrapOutboundOut(request.bytes), promise: nil)
        return request
    }

    private func end(_ context: ChannelHandlerContext) {
        state = .ended
        result.succeed(counts)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .ended: return
        case .waiting(_, _, let due): counts.latencies.record((.now() - due).nanoseconds)
        case .warmingUp, .ready, .idle: break
        }
        state = .ended
        counts.lost += 1
        ready.succeed(())
        result.succeed(counts)
    }
}
