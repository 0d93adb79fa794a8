import Endpoints
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Drives a ``ConnectionState``: one request at a time passes, each wait has a deadline, and the last answer says so.
///
/// The handler stands between the decoder of HTTP/1.1 and the types that Hummingbird uses. Hummingbird sees no event of a shutdown,
/// and no fault of a request line.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Input that belongs to a later request.
    private enum Held {
        case part(HTTPServerRequestPart)
        case malformed
    }

    /// The parts of later requests that are held before reading stops.
    private static let maximumHeld = 16

    /// The largest piece of a body that is written at once.
    ///
    /// The answer's deadline begins anew with each piece that the client takes.
    private static let pieceBytes = 262_144

    private let limits: ConnectionLimits
    private let connections: OpenConnections
    private let entry: OpenConnections.Entry
    private var state: ConnectionState
    private var held = CircularBuffer<Held>()
    private var wantsRead = false
    private var hasInputEnded = false
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?

    init(_ limits: ConnectionLimits, _ connections: OpenConnections, _ entry: OpenConnections.Entry) {
        self.limits = limits
        self.connections = connections
        self.entry = entry
        let now = NIODeadline.now()
        state = ConnectionState(limits, at: now)
        entry.becameIdle(at: now)
    }

    func handlerAdded(context: ChannelHandlerContext) { setTimer(context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(.part(unwrapInboundIn(data)), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            // The connection has failed, which ends the request too.
            _ = state.requestBroke(at: .now())
            return context.fireErrorCaught(error)
        }
        switch state.phase {
        // The client left between two requests, or in the middle of a head.
        case .waiting where error == .invalidEOFState: context.close(promise: nil)
        case .exchanging(let exchange) where exchange.request != .complete:
            if state.requestBroke(at: .now()) == .failBody {
                context.fireErrorCaught(
                    error == .invalidEOFState ? RequestBodyFault.incomplete : RequestBodyFault.malformed
                )
            }
            finishIfLast(context)
        case .waiting, .exchanging: receive(.malformed, context)
        case .finishing, .lingering: break
        }
    }

    private func receive(_ input: Held, _ context: ChannelHandlerContext) {
        if state.holdsInput || !held.isEmpty { return held.append(input) }
        pass(input, context)
    }

    private func pass(_ input: Held, _ context: ChannelHandlerContext) {
        switch (input, state.phase) {
        case (.part(.head(var head)), .waiting):
            let isOld = head.version.minor == 0
            // The decoder reads nothing after a request for another protocol, which Java's client adds to its first request.
            let changesProtocol = head.method == .CONNECT || head.headers.contains(name: "upgrade")
            let expects = !isOld && head.headers["expect"].contains { $0.lowercased() == "100-continue" }
            state.headArrived(
                // A client of HTTP/1.0 may not know that a connection can be kept.
                isLast: !head.isKeepAlive || isOld || changesProtocol,
                expectsContinue: expects,
                at: .now()
            )
            entry.becameBusy()
            // HTTP/1.0 has no Host, and later layers demand one.
            if isOld, !head.headers.contains(name: "host") { head.headers.add(name: "host", value: "") }
            context.fireChannelRead(wrapInboundOut(.head(head)))
            setTimer(context)
        case (.part(let part), .exchanging):
            context.fireChannelRead(wrapInboundOut(part))
            if case .end = part {
                state.requestEnded(at: .now())
                noteIdle(context)
            }
        case (.malformed, .waiting): refuse(context)
        case (.part, .waiting), (.malformed, .exchanging), (_, .finishing), (_, .lingering): break
        }
    }

    /// Passes the input of the next request on, once there is no other request.
    private func passHeld(_ context: ChannelHandlerContext) {
        guard !held.isEmpty else { return }
        while !state.holdsInput, let input = held.popFirst() { pass(input, context) }
        context.fireChannelReadComplete()
        if wantsRead, held.count < Self.maximumHeld {
            wantsRead = false
            context.read()
        }
    }

    func read(context: ChannelHandlerContext) {
        if held.count < Self.maximumHeld { context.read() } else { wantsRead = true }
    }

    /// Answers a request line or head that is not HTTP/1.1, and closes the connection.
    private func refuse(_ context: ChannelHandlerContext) {
        state.headArrived(isLast: true, expectsContinue: false, at: .now())
        entry.becameBusy()
        _ = state.requestBroke(at: .now())
        let answer = Problem.malformedRequest.standalone()
        var headers = HTTPHeaders(answer.headers.map { ($0.name.rawName, $0.value) })
        headers.add(name: "Content-Length", value: "\(answer.body.readableBytes)")
        _ = state.answerBegan(saysClose: true)
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: answer.status.code),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(answer.body))), promise: nil)
        writeEnd(nil, context, nil)
        context.flush()
    }

    // MARK: Output

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.code >= 200 else { return context.write(data, promise: promise) }
            guard case .exchanging(let exchange) = state.phase, exchange.answer == .none else { return drop(promise) }
            if state.answerBegan(saysClose: !head.isKeepAlive) {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body):
            guard case .exchanging = state.phase else { return drop(promise) }
            writeBody(body, context, promise)
        case .end(let trailers):
            guard case .exchanging = state.phase else { return drop(promise) }
            writeEnd(trailers, context, promise)
        }
    }

    /// Ignores a second answer, or one that nobody can read.
    private func drop(_ promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.outputClosed) }

    private func writeBody(_ body: IOData, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(var buffer) = body, buffer.readableBytes > Self.pieceBytes else {
            return context.write(wrapOutboundOut(.body(body)), promise: promise)
        }
        while buffer.readableBytes > Self.pieceBytes, let piece = buffer.readSlice(length: Self.pieceBytes) {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated()
                .whenSuccess { [self] in
                    // The next piece has the whole time again.
                    if !context.channel.isWritable || state.phase == .finishing { state.answerStalled(at: .now()) }
                }
            context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: written)
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: promise)
    }

    private func writeEnd(
        _ trailers: HTTPHeaders?,
        _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        guard state.answerEnded(at: .now()) else {
            context.write(wrapOutboundOut(.end(trailers)), promise: promise)
            noteIdle(context)
            return passHeld(context)
        }
        held.removeAll()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        context.write(wrapOutboundOut(.end(trailers)), promise: written)
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
        if hasInputEnded { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        setTimer(context)
    }

    private func finishIfLast(_ context: ChannelHandlerContext) {
        if state.phase == .finishing { close(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            state.drain(at: .now())
            setTimer(context)
        case is OpenConnections.MakeRoom:
            if state.isWaiting { close(context, .room) }
        case ChannelEvent.inputClosed:
            hasInputEnded = true
            state.inputEnded()
            switch state.phase {
            case .waiting, .lingering: context.close(promise: nil)
            case .exchanging, .finishing: context.fireUserInboundEventTriggered(event)
            }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Sends `100 Continue` if the client waits for it (RFC 9110 section 10.1.1).
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ContinueEvent else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if state.takeExpectation() {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))),
                promise: nil
            )
        }
        promise?.succeed()
    }

    private func noteIdle(_ context: ChannelHandlerContext) {
        guard state.isWaiting else { return }
        entry.becameIdle(at: .now())
        setTimer(context)
    }

    // MARK: Time

    /// Sees to it that the timer runs at the next deadline or before.
    ///
    /// A deadline that has moved into the future leaves the timer as it is, because most requests move it.
    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = state.deadline else { return }
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in timerFired(context) }
        timer = (task, deadline)
    }

    private func timerFired(_ context: ChannelHandlerContext) {
        timer = nil
        guard context.channel.isActive else { return }
        switch state.timerFired(at: .now()) {
        case .none: setTimer(context)
        case .failBody:
            context.fireErrorCaught(RequestBodyFault.late)
            setTimer(context)
        case .close(let reason): close(context, reason)
        }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: ConnectionState.Reason) {
        connections.count(reason)
        context.close(promise: nil)
    }
}
