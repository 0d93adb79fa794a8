import Connections
import Endpoints
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// Drives a ``ConnectionState``: one request at a time passes, each wait has a deadline, and the last answer says so.
///
/// The handler is the last one behind the decoder of HTTP/1.1, or behind that of a stream of HTTP/2, which carries one request. Each
/// request runs in a task of its own, which the handler starts when the body is complete, or when no more of it is there. A request that
/// is answered by its first step needs no task. A request that has begun ends even if its client leaves.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    /// Bytes on a connection, and frames on a stream: see ``RequestCarrier``.
    typealias OutboundOut = Any

    /// Input that belongs to a later request.
    private enum Held {
        case part(HTTPServerRequestPart)
        case fault(Problem)
    }

    /// The body of the request that arrives.
    private enum Intake {
        /// No part of a body is awaited, or nobody wants it.
        case none
        /// The endpoint has not begun, because the rest of the body can already be there.
        case gathering(HTTPRequest, ByteBuffer?)
        /// The endpoint reads the body while it arrives.
        case streaming(BodyStream.Source)
        /// The endpoint has yet to take what has arrived, and no more is read.
        case full(BodyStream.Source)
    }

    /// The client's side of the connection or of the stream.
    private enum ClientSide {
        /// The client can send more.
        case open
        /// The stream's only request is complete.
        case requestEnded
        /// The client sends nothing more.
        case closed
    }

    /// The parts of later requests that are held before reading stops.
    private static let maximumHeld = 16

    /// The largest piece of a body that is written at once.
    ///
    /// The answer's deadline begins again with each piece that the client takes.
    private static let pieceBytes = 262_144

    /// The number of requests of one read that are answered on the connection's thread.
    ///
    /// Their answers take about a third of a millisecond. Those of the other requests in the read take turns with other connections.
    private static let maximumAnswersInRead = 8

    /// The largest body of a request whose first step runs on the connection's thread.
    private static let firstStepBytes = 4096

    /// The largest body that is copied behind the head, for one write.
    private static let joinedBytes = 16_384

    private let service: ConnectionService
    private let executor: any TaskExecutor
    private let carrier: RequestCarrier
    private var state: ConnectionState
    private var intake = Intake.none
    private var held = CircularBuffer<Held>()
    private var wantsRead = false
    private var clientSide = ClientSide.open
    private var timer = DeadlineTimer()
    private var task: Task<Void, Never>?
    private var answersInRead = 0
    /// The place in the pipeline, until the connection has closed.
    private var context: ChannelHandlerContext?

    /// Creates the handler of a connection or a stream.
    ///
    /// - Parameters:
    ///   - service: The parts that all connections share.
    ///   - executor: The thread that runs the requests.
    ///   - carrier: The connection or the stream.
    ///   - start: The start of the connection, or of the stream.
    init(
        _ service: ConnectionService,
        _ executor: any TaskExecutor,
        _ carrier: RequestCarrier,
        since start: NIODeadline = .now()
    ) {
        self.service = service
        self.executor = executor
        self.carrier = carrier
        state = ConnectionState(service.limits, at: start)
        carrier.becameIdle(at: start)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        carrier.opened(context.channel)
        if service.connections.isDraining { state.drain(at: .now()) }
        setTimer(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failBody(.incomplete, ifBegun: true)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        held.removeAll()
        self.context = nil
        carrier.closed(context.channel, hasTask: task != nil)
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(.part(unwrapInboundIn(data)), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Input after a fault, which is answered already.
        if error is ByteToMessageDecoderError { return }
        guard let error = error as? HTTPParserError else {
            // The connection has failed, which ends the request too.
            _ = state.requestBroke(at: .now())
            failBody(.incomplete, ifBegun: true)
            return context.close(promise: nil)
        }
        switch state.phase {
        // The client left between two requests, or in the middle of a head.
        case .waiting where error == .invalidEOFState: context.close(promise: nil)
        case .exchanging(let exchange) where exchange.request != .complete:
            if state.requestBroke(at: .now()) == .failBody {
                failBody(error == .invalidEOFState ? .incomplete : .malformed)
            }
            finishIfLast(context)
        case .waiting, .exchanging: receive(.fault(Self.problem(error)), context)
        case .finishing, .lingering: break
        }
    }

    private func receive(_ input: Held, _ context: ChannelHandlerContext) {
        if carrier.isStream, clientSide == .open, case .part(.end) = input { clientSide = .requestEnded }
        if state.holdsInput || !held.isEmpty { return held.append(input) }
        pass(input, context)
    }

    private func pass(_ input: Held, _ context: ChannelHandlerContext) {
        switch (input, state.phase) {
        case (.part(.head(let head)), .waiting): begin(head, context)
        case (.part(.body(let bytes)), .exchanging): append(bytes)
        case (.part(.end), .exchanging):
            state.requestEnded(at: .now())
            noteIdle(context)
            endBody()
        case (.fault(let problem), .waiting): refuse(problem, context)
        case (.part, .waiting), (.part(.head), .exchanging), (.fault, .exchanging), (_, .finishing),
            (_, .lingering):
            break
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard var request = HTTPRequest(head, scheme: service.scheme) else { return refuse(.malformedRequest, context) }
        let isOld = head.version == .http1_0
        // The decoder reads nothing after a request for another protocol, which Java's client adds to its first request.
        let changesProtocol = head.method == .CONNECT || request.headerFields.contains(.upgrade)
        let expects = !isOld && request.headerFields[values: .expect].contains { $0.lowercased() == "100-continue" }
        state.headArrived(
            // A client of HTTP/1.0 may not know that a connection can be kept.
            isLast: carrier.isStream || !head.isKeepAlive || isOld || changesProtocol,
            expectsContinue: expects,
            at: .now()
        )
        carrier.becameBusy()
        // HTTP/1.0 has no Host, and later layers demand one.
        if isOld, request.authority == nil { request.authority = "" }
        intake = .gathering(request, nil)
        setTimer(context)
    }

    /// Passes the input of the next request on, once there is no other request.
    private func passHeld(_ context: ChannelHandlerContext) {
        guard !held.isEmpty else { return }
        while !state.holdsInput, let input = held.popFirst() { pass(input, context) }
        beginUnfinished()
        readAgain()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        beginUnfinished()
        answersInRead = 0
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if held.count < Self.maximumHeld, canTakeBody { context.read() } else { wantsRead = true }
    }

    private var canTakeBody: Bool { if case .full = intake { false } else { true } }

    private func readAgain() {
        guard wantsRead, let context else { return }
        wantsRead = false
        read(context: context)
    }

    // MARK: Bodies

    private func append(_ bytes: ByteBuffer) {
        switch intake {
        case .none: break
        case .gathering(let request, nil): intake = .gathering(request, bytes)
        case .gathering(let request, .some(var gathered)):
            intake = .none
            gathered.writeImmutableBuffer(bytes)
            intake = .gathering(request, gathered)
        case .streaming(let source), .full(let source):
            intake = source.yield(bytes) == .stopProducing ? .full(source) : .streaming(source)
        }
    }

    private func endBody() {
        switch intake {
        case .none: break
        case .gathering(let request, let bytes): start(request, bytes ?? ByteBuffer())
        case .streaming(let source), .full(let source): source.finish()
        }
        leaveBody()
    }

    /// Starts a request whose body does not arrive in one piece.
    private func beginUnfinished() {
        guard case .gathering(let request, let bytes) = intake, let context else { return }
        let stream = BodyStream.makeSequence(
            elementType: ByteBuffer.self,
            failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4),
            finishOnDeinit: true,
            delegate: BodyDemand(NIOLoopBound(self, eventLoop: context.eventLoop))
        )
        intake = .streaming(stream.source)
        let streamed = Request(head: request, body: RequestBody(asyncSequence: stream.sequence))
        let requestContext = makeContext(context)
        run(context) { [respond = service.respond] in .whole(await respond(streamed, requestContext)) }
        if let bytes { append(bytes) }
    }

    /// Lets the endpoint know that the rest of the body cannot be read.
    ///
    /// - Parameters:
    ///   - fault: The reason.
    ///   - onlyIfBegun: True if an endpoint that has not begun shall not begin.
    private func failBody(_ fault: RequestBodyFault, ifBegun onlyIfBegun: Bool = false) {
        if !onlyIfBegun { beginUnfinished() }
        switch intake {
        case .none, .gathering: break
        case .streaming(let source), .full(let source): source.finish(fault)
        }
        leaveBody()
    }

    /// Drops what is left of the body.
    private func leaveBody() {
        intake = .none
        readAgain()
    }

    /// Reads on after the endpoint has taken a part of the body.
    fileprivate func bodyIsWanted() {
        if case .full(let source) = intake { intake = .streaming(source) }
        readAgain()
    }

    // MARK: Requests

    /// Starts a request whose body has arrived: on this thread if its first step may be enough, else in a task.
    ///
    /// Of the requests that arrive in one read, only a few are answered on this thread, which serves other connections too. A read of a
    /// connection with HTTP/2 can hold those of many streams.
    private func start(_ head: HTTPRequest, _ body: ByteBuffer) {
        guard let context else { return }
        let request = Request(head: head, body: RequestBody(buffer: body))
        let requestContext = makeContext(context)
        var result: FirstStepResult?
        if !carrier.isStream, held.isEmpty, answersInRead < Self.maximumAnswersInRead,
            body.readableBytes <= Self.firstStepBytes
        {
            result = service.front.begin(request, body, requestContext)
        }
        switch result {
        case nil: run(context) { [respond = service.respond] in .whole(await respond(request, requestContext)) }
        case .answer(let head, let bytes):
            answersInRead += 1
            write(head, bytes, context)
        case .wait(let rest): run(context, rest)
        }
    }

    private func makeContext(_ context: ChannelHandlerContext) -> MortiseRequestContext {
        MortiseRequestContext(source: ApplicationRequestContextSource(channel: context.channel, logger: service.logger))
    }

    /// Starts a task for a request.
    private func run(_ context: ChannelHandlerContext, _ respond: @escaping @Sendable () async -> RequestAnswer) {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        carrier.taskBegan()
        task = Task(executorPreference: executor) { [eventLoop = context.eventLoop] in
            switch await respond() {
            case .bytes(let head, let bytes): eventLoop.execute { handler.value.answer(head, bytes) }
            case .whole(let response):
                // The body of every answer is in memory, so nothing can fail.
                let bytes = try? await GatheredBody.bytes(of: response.body)
                eventLoop.execute { handler.value.answer(response.head, bytes) }
            }
        }
    }

    private static func problem(_ error: HTTPParserError) -> Problem {
        guard error == .headerOverflow else { return .malformedRequest }
        return .headersTooLarge(bytes: HeadLimits.bytes, field: HeadLimits.field, fields: HeadLimits.fields)
    }

    /// Answers a request whose head cannot be read, and closes the connection.
    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        state.headArrived(isLast: true, expectsContinue: false, at: .now())
        carrier.becameBusy()
        _ = state.requestBroke(at: .now())
        let answer = problem.standalone()
        write(HTTPResponse(status: answer.status, headerFields: answer.headers), answer.body, context)
    }

    // MARK: Answers

    private func answer(_ response: HTTPResponse, _ bytes: ByteBuffer?) {
        task = nil
        carrier.taskEnded(isOpen: context != nil)
        guard let context else { return }
        // Nobody reads the rest of a body after the answer.
        if case .exchanging(let exchange) = state.phase, exchange.request != .complete { leaveBody() }
        guard case .exchanging(let exchange) = state.phase, exchange.answer == .none else { return }
        write(response, bytes, context)
    }

    private func write(_ response: HTTPResponse, _ body: ByteBuffer?, _ context: ChannelHandlerContext) {
        let length = body?.readableBytes ?? 0
        if carrier.isStream {
            _ = state.answerBegan(saysClose: true)
            let head = NIOAny(HTTP2Frame.FramePayload.head(response, length: length, date: service.date.value))
            if let body, length > 0 {
                context.write(head, promise: nil)
                writeBody(body, context)
            } else {
                writeEnd(head, context)
            }
            return context.flush()
        }
        var head = context.channel.allocator.buffer(capacity: 512 + (length <= Self.joinedBytes ? length : 0))
        let isLast = state.answerBegan(saysClose: response.saysClose)
        head.write(response, length: length, date: service.date.value, isLast: isLast)
        if length <= Self.joinedBytes {
            if let body { head.writeImmutableBuffer(body) }
            writeEnd(NIOAny(head), context)
        } else {
            context.write(NIOAny(head), promise: nil)
            if let body { writeBody(body, context) }
        }
        context.flush()
    }

    private func writeBody(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var bytes = bytes
        while bytes.readableBytes > Self.pieceBytes, let piece = bytes.readSlice(length: Self.pieceBytes) {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated()
                .whenSuccess { [self] in
                    // The next piece has the whole time again.
                    if !context.channel.isWritable || state.phase == .finishing { state.answerStalled(at: .now()) }
                }
            context.write(carrier.part(piece, isLast: false), promise: written)
        }
        writeEnd(carrier.part(bytes, isLast: true), context)
    }

    /// Writes the last bytes of an answer.
    private func writeEnd(_ bytes: NIOAny, _ context: ChannelHandlerContext) {
        guard state.answerEnded(at: .now()) else {
            context.write(bytes, promise: nil)
            noteIdle(context)
            return passHeld(context)
        }
        held.removeAll()
        let written = context.eventLoop.makePromise(of: Void.self)
        context.write(bytes, promise: written)
        written.futureResult.assumeIsolated().whenSuccess { [self] in close(context) }
        setTimer(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            state.answerFlowed()
        } else {
            state.answerStalled(at: .now())
            setTimer(context)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: The end

    /// Closes the server's side, and waits a moment for the client's end.
    ///
    /// A connection that is closed while the client sends is reset, and the client could then not read the answer.
    private func close(_ context: ChannelHandlerContext) {
        state.lastAnswerLeft(at: .now())
        switch clientSide {
        case .closed: return context.close(promise: nil)
        case .open where carrier.isStream:
            // The client need not send the rest (RFC 9113 section 8.1).
            context.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
        case .open: context.close(mode: .output, promise: nil)
        case .requestEnded: break
        }
        setTimer(context)
    }

    private func finishIfLast(_ context: ChannelHandlerContext) {
        if state.phase == .finishing { close(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case OpenConnections.Request.drain:
            state.drain(at: .now())
            setTimer(context)
        case OpenConnections.Request.makeRoom:
            if state.isWaiting { close(context, .room) }
        case OpenConnections.Request.abort:
            task?.cancel()
            context.close(promise: nil)
        case ChannelEvent.inputClosed:
            clientSide = .closed
            state.inputEnded()
            switch state.phase {
            case .waiting, .lingering: context.close(promise: nil)
            case .exchanging, .finishing: break
            }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Sends `100 Continue` if the client waits for it (RFC 9110 section 10.1.1).
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ContinueEvent else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if state.takeExpectation() {
            context.writeAndFlush(carrier.continue, promise: nil)
        }
        promise?.succeed()
    }

    private func noteIdle(_ context: ChannelHandlerContext) {
        guard state.isWaiting else { return }
        carrier.becameIdle(at: .now())
        setTimer(context)
    }

    // MARK: Time

    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = timer.missed(state.deadline) else { return }
        timer.set(deadline, on: context.eventLoop) { [self] in timerFired(context) }
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer.fired()
        guard context.channel.isActive else { return }
        switch state.timerFired(at: .now()) {
        case .none: setTimer(context)
        case .failBody:
            failBody(.late)
            setTimer(context)
        case .close(let reason): close(context, reason)
        }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: CloseReason) {
        service.connections.count(reason)
        context.close(promise: nil)
    }
}

/// The parts of a body that the endpoint has not taken yet.
///
/// The bound counts parts. The decoder makes none larger than one read from the socket.
private typealias BodyStream = NIOThrowingAsyncSequenceProducer<
    ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, BodyDemand
>

/// Tells the connection that the endpoint wants more of the body.
private struct BodyDemand: NIOAsyncSequenceProducerDelegate {
    private let handler: NIOLoopBound<ConnectionHandler>

    init(_ handler: NIOLoopBound<ConnectionHandler>) { self.handler = handler }

    func produceMore() {
        handler.eventLoop.execute { [handler] in handler.value.bodyIsWanted() }
    }

    // The answer tells the handler of the end.
    func didTerminate() {}
}
