import Connections
import NIOCore
import NIOHTTP1
import Surfaces

/// Drives a ``PipelineState``: starts the checks of a connection, and writes their answers in the order of the requests.
///
/// The handler is the last one behind the decoder of HTTP/1.1. An answer that is known at once is written with the same flush as the
/// others of one read. Any other runs in a task on a thread that waits for PostgreSQL. A check that has begun ends even if the gateway
/// leaves.
final class GatewayHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Input that waits for its turn.
    private enum Held {
        case part(HTTPServerRequestPart)
        /// A fault of the input, and its answer.
        case fault(GatewayAnswer)
        /// The client sends nothing more.
        case end
    }

    /// A request whose answer has not been written.
    private struct Exchange {
        let isHead: Bool
        var answer: GatewayAnswer?
    }

    /// The number of checks of one connection that can be under way.
    static let maximumUnanswered = 64

    /// The parts of later requests that are held before reading stops.
    ///
    /// One read from the socket can bring more.
    private static let maximumHeld = 64

    private let service: GatewayService
    private let executor: any TaskExecutor
    private let entry: OpenConnections.Entry
    private var peer: GatewayPeer
    private var state: PipelineState
    private var exchanges = CircularBuffer<Exchange>()
    /// The number of the first exchange, counted from the start of the connection.
    private var firstNumber = 0
    private var held = CircularBuffer<Held>()
    private var running: [Int: Task<Void, Never>] = [:]
    private var wantsRead = false
    private var hasInputEnded = false
    private var isAdvanceDue = false
    private var timer = DeadlineTimer()
    /// The place in the pipeline, until the connection has closed.
    private var context: ChannelHandlerContext?

    /// Creates the handler of a connection.
    init(_ service: GatewayService, _ executor: any TaskExecutor, _ entry: OpenConnections.Entry, _ peer: GatewayPeer) {
        self.service = service
        self.executor = executor
        self.entry = entry
        self.peer = peer
        let now = NIODeadline.now()
        state = PipelineState(service.limits, at: now)
        entry.becameIdle(at: now)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if service.connections.isDraining { state.drain(at: .now()) }
        setTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        held.removeAll()
        self.context = nil
        if running.isEmpty { service.connections.remove(entry) }
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(.part(unwrapInboundIn(data)), context) }

    func channelReadComplete(context: ChannelHandlerContext) {
        advance(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // Input after a fault, which is answered already.
        case is ByteToMessageDecoderError: break
        // The event of the end follows.
        case HTTPParserError.invalidEOFState: break
        case HTTPParserError.headerOverflow: receive(.fault(.headersTooLarge), context)
        case is HTTPParserError: receive(.fault(.malformedRequest), context)
        default: return context.close(promise: nil)
        }
        advance(context)
    }

    private func receive(_ input: Held, _ context: ChannelHandlerContext) {
        if held.isEmpty, canPass(input) { pass(input, context) } else { held.append(input) }
    }

    /// Returns true if the input's turn has come.
    private func canPass(_ input: Held) -> Bool {
        guard case .part(.head) = input else { return true }
        return exchanges.count < Self.maximumUnanswered && (context?.channel.isWritable ?? true)
    }

    private func pass(_ input: Held, _ context: ChannelHandlerContext) {
        switch (input, state.reading) {
        case (.part(.head(let head)), .head): begin(head, context)
        case (.part(.body(let bytes)), .body):
            perform(state.bodyArrived(bytes.readableBytes, at: .now()), context)
        case (.part(.end), .body): state.requestEnded(at: .now())
        // The answer to a fault in a body is that of its request.
        case (.fault, .body): state.inputEnded()
        case (.fault(let answer), .head):
            state.inputEnded(isAnswered: true)
            entry.becameBusy()
            exchanges.append(Exchange(isHead: false, answer: service.routes.authorizer.refuse(answer)))
        case (.end, _): state.inputEnded()
        case (_, .nothing), (.part, _): break
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        // The decoder reads nothing after a request for another protocol.
        let isConnect = head.method == .CONNECT
        var changesProtocol = isConnect
        var expects = false
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 6 where name.lowercased() == "expect":
                expects = expects || value.lowercased().hasPrefix("100-continue")
            case 7 where name.lowercased() == "upgrade": changesProtocol = true
            default: break
            }
        }
        let isOld = head.version.minor == 0
        if isOld { expects = false }
        // A client of HTTP/1.0 may not know that a connection can be kept.
        let isLast = !head.isKeepAlive || isOld || changesProtocol
        state.headArrived(isLast: isLast, isHeldBack: expects, at: .now())
        entry.becameBusy()
        let isHead = head.method == .HEAD
        switch isConnect ? service.routes.refuseConnect() : service.routes.reply(to: head, from: peer) {
        case .now(let answer): exchanges.append(Exchange(isHead: isHead, answer: answer))
        case .later(let check):
            let number = firstNumber + exchanges.count
            exchanges.append(Exchange(isHead: isHead, answer: nil))
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            running[number] = Task(executorPreference: executor) { [eventLoop = context.eventLoop] in
                let answer = await check()
                eventLoop.execute { handler.value.complete(number, answer) }
            }
        }
        setTimer(context)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead(context) { context.read() } else { wantsRead = true }
    }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        held.count < Self.maximumHeld && exchanges.count < Self.maximumUnanswered && context.channel.isWritable
    }

    private func readAgain(_ context: ChannelHandlerContext) {
        guard wantsRead, mayRead(context) else { return }
        wantsRead = false
        context.read()
    }

    // MARK: Answers

    private func complete(_ number: Int, _ answer: GatewayAnswer) {
        running[number] = nil
        guard let context else {
            if running.isEmpty { service.connections.remove(entry) }
            return
        }
        // No exchange is left behind the last answer.
        guard state.phase == .open, number - firstNumber < exchanges.count else { return }
        let index = exchanges.index(exchanges.startIndex, offsetBy: number - firstNumber)
        exchanges[index].answer = answer
        guard exchanges.count > 1 else { return advance(context) }
        // The answers that have arrived by then leave in the same write.
        guard !isAdvanceDue else { return }
        isAdvanceDue = true
        context.eventLoop.assumeIsolated()
            .execute { [self] in
                isAdvanceDue = false
                if let context = self.context { advance(context) }
            }
    }

    /// Begins the requests whose turn has come, and writes the answers that are next, until there are no more.
    private func advance(_ context: ChannelHandlerContext) {
        repeat {
            while let input = held.first, canPass(input) {
                held.removeFirst()
                pass(input, context)
            }
        } while write(context) && !held.isEmpty
        noteIdle(context)
        readAgain(context)
        closeIfDone(context)
        setTimer(context)
    }

    /// Writes the answers that are next.
    ///
    /// - Returns: True if there were any, and the connection goes on.
    private func write(_ context: ChannelHandlerContext) -> Bool {
        guard state.phase == .open, exchanges.first?.answer != nil else { return false }
        let now = NIODeadline.now()
        let date = service.date.value
        var bytes = context.channel.allocator.buffer(capacity: 512)
        while let exchange = exchanges.first, let answer = exchange.answer {
            let isLast = state.answerBegan(hasMore: !held.isEmpty)
            answer.write(to: &bytes, isHead: exchange.isHead, date: date, isLast: isLast)
            exchanges.removeFirst()
            firstNumber += 1
            guard state.answerEnded(at: now) else { continue }
            held.removeAll()
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
            written.futureResult.assumeIsolated().whenSuccess { [self] in finish(context) }
            return false
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        return true
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            state.answersFlowed()
            advance(context)
        } else {
            state.answersStalled(at: .now())
            setTimer(context)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The end

    /// Closes the server's side, and waits a moment for the client's end.
    ///
    /// A connection that is closed while the client sends is reset, and the client could then not read the answer.
    private func finish(_ context: ChannelHandlerContext) {
        state.lastAnswerLeft(at: .now())
        if hasInputEnded { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        setTimer(context)
    }

    /// Closes a connection that has neither input nor answers left.
    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard state.phase == .open, state.reading == .nothing, state.unanswered == 0, held.isEmpty else { return }
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let header as ProxyHeader:
            switch header {
            case .client(let address): peer = .connection(address)
            // The gateway speaks for itself. Its own address is no client's: it counts no failures, and satisfies no key.
            case .local: peer = .connection(nil)
            }
        case OpenConnections.Request.drain:
            state.drain(at: .now())
            setTimer(context)
        case OpenConnections.Request.makeRoom:
            if state.isIdle, held.isEmpty { close(context, .room) }
        case OpenConnections.Request.abort:
            for task in running.values { task.cancel() }
            context.close(promise: nil)
        case ChannelEvent.inputClosed:
            hasInputEnded = true
            if state.phase != .open { return context.close(promise: nil) }
            receive(.end, context)
            advance(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func noteIdle(_ context: ChannelHandlerContext) {
        if state.isIdle, held.isEmpty { entry.becameIdle(at: .now()) }
    }

    // MARK: Time

    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = timer.missed(state.deadline) else { return }
        timer.set(deadline, on: context.eventLoop) { [self] in timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer.fired()
        guard context.channel.isActive else { return }
        perform(state.timerFired(at: .now()), context)
        setTimer(context)
    }

    private func perform(_ action: PipelineState.Action, _ context: ChannelHandlerContext) {
        if case .close(let reason) = action { close(context, reason) }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: CloseReason) {
        service.connections.count(reason)
        context.close(promise: nil)
    }
}
