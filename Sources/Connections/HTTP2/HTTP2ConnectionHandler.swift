package import NIOCore
package import NIOHTTP2
import NIOSSL

/// Drives an ``HTTP2ConnectionState``: deadlines, the end of the connection, and its slot among the open connections.
///
/// The handler stands behind swift-nio's HTTP/2 handler, and passes everything on to the handler of the streams, but for streams above the
/// limit, which it refuses. It reads nothing while the client does not take its answers.
package final class HTTP2ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTP2Frame
    package typealias InboundOut = HTTP2Frame
    package typealias OutboundIn = HTTP2Frame
    package typealias OutboundOut = HTTP2Frame

    /// Tells a fault of the connection from a fault of a stream.
    ///
    /// swift-nio reports both alike. Before it reports a fault of the connection, it says why the connection ends.
    private final class FaultKind: NIOHTTP2FrameDelegate {
        var isOfConnection = false

        func wroteFrame(_ frame: HTTP2Frame) {
            if case .goAway(_, let code, _) = frame.payload, code != .noError { isOfConnection = true }
        }
    }

    /// The contents of the PING whose answer shows that the client knows of the end.
    private static let announcement = HTTP2PingData(withInteger: 0x6D6F_7274_6973_6521)

    private let connections: OpenConnections
    private let entry: OpenConnections.Entry
    private let faults = FaultKind()
    /// The place of swift-nio's HTTP/2 handler in the pipeline, until the connection has closed.
    private var frames: ChannelHandlerContext?
    private var state: HTTP2ConnectionState
    private var timer = DeadlineTimer()
    private var maximumStreams = Int.max
    private var maximumRefusals = Int.max
    /// The last stream that the client has opened.
    private var lastStream = HTTP2StreamID.rootStream
    /// The streams that were refused since the connection was idle.
    private var refusals = 0
    private var isFlushDue = false
    private var tasks = 0
    /// The channels of the streams that have one.
    private var channels: [ObjectIdentifier: any Channel] = [:]
    private var hasInputEnded = false
    private var wantsRead = false
    /// The place in the pipeline, until the connection has closed.
    private var context: ChannelHandlerContext?

    /// Creates the handler of a connection.
    ///
    /// - Parameters:
    ///   - limits: The limits of the connection.
    ///   - connections: The open connections of the listener.
    ///   - entry: The connection's own entry.
    ///   - start: The start of the connection.
    package init(
        _ limits: ConnectionLimits,
        _ connections: OpenConnections,
        _ entry: OpenConnections.Entry,
        since start: NIODeadline
    ) {
        self.connections = connections
        self.entry = entry
        state = HTTP2ConnectionState(limits, since: start)
        entry.becameIdle(at: start)
    }

    /// Adds swift-nio's HTTP/2 handler and this one to a pipeline.
    package func add(
        to pipeline: ChannelPipeline.SynchronousOperations,
        _ limits: HTTP2Limits
    ) throws {
        let frames = NIOHTTP2Handler(
            mode: .server,
            frameDelegate: faults,
            connectionConfiguration: limits.connection,
            streamConfiguration: limits.stream
        )
        (maximumStreams, maximumRefusals) = (limits.maximumStreams, limits.maximumRefusals)
        try pipeline.addHandler(StreamAnnouncement(streams: limits.announcedStreams))
        try pipeline.addHandler(frames)
        self.frames = try pipeline.context(handler: frames)
        if limits.hasLongHeads { try pipeline.addHandler(AnswerHeadHandler()) }
        try pipeline.addHandler(self)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if connections.isDraining { perform(state.drain(at: .now()), context) }
        setTimer(context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        self.context = nil
        frames = nil
        if tasks == 0 { connections.remove(entry) }
    }

    // MARK: Streams

    /// Notes the channel of a stream, which is told of the end of the server.
    package func opened(_ channel: any Channel) { channels[ObjectIdentifier(channel)] = channel }

    /// Notes the end of a stream's channel.
    package func closed(_ channel: any Channel) { channels[ObjectIdentifier(channel)] = nil }

    // MARK: Tasks

    /// Notes that a task works for a stream, so that the server waits for it.
    package func taskBegan() { tasks += 1 }

    /// Notes the end of a task, which can be after the end of the connection.
    package func taskEnded() {
        tasks -= 1
        if tasks == 0, context == nil { connections.remove(entry) }
    }

    // MARK: Input

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .ping(let data, ack: true) where data == Self.announcement:
            perform(state.announcementArrived(), context)
        // The first header section of a stream.
        case .headers where frame.streamID > lastStream:
            lastStream = frame.streamID
            // The event of the new stream comes after its frame.
            if state.streams >= maximumStreams { return refuse(frame.streamID, context) }
        default: break
        }
        context.fireChannelRead(data)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if isFlushDue {
            isFlushDue = false
            context.flush()
        }
        context.fireChannelReadComplete()
    }

    /// Refuses a stream, which the client can repeat (RFC 9113 section 8.7).
    private func refuse(_ stream: HTTP2StreamID, _ context: ChannelHandlerContext) {
        refusals += 1
        guard refusals <= maximumRefusals else {
            connections.count(.fault)
            return context.close(promise: nil)
        }
        isFlushDue = true
        let refusal = HTTP2Frame(streamID: stream, payload: .rstStream(.refusedStream))
        context.write(wrapOutboundOut(refusal), promise: nil)
    }

    package func read(context: ChannelHandlerContext) {
        // Answers without a body have no window, so nothing else bounds the ones that wait for the client.
        if context.channel.isWritable { context.read() } else { wantsRead = true }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is ChannelError, is IOError, is NIOSSLError: context.close(promise: nil)
        case _ where faults.isOfConnection:
            connections.count(.fault)
            context.close(promise: nil)
        default: break
        }
        context.fireErrorCaught(error)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let created as NIOHTTP2StreamCreatedEvent:
            if state.streams == 0 { entry.becameBusy() }
            state.streamOpened(created.streamID)
        case let closed as StreamClosedEvent:
            let (now, wasIdle) = (NIODeadline.now(), state.isIdle)
            perform(state.streamClosed(closed.streamID, at: now), context)
            if !wasIdle, state.isIdle {
                refusals = 0
                entry.becameIdle(at: now)
                setTimer(context)
            }
        case OpenConnections.Request.drain:
            tellStreams(.drain)
            perform(state.drain(at: .now()), context)
            setTimer(context)
        case OpenConnections.Request.makeRoom:
            guard state.isIdle else { break }
            connections.count(.room)
            perform(state.makeRoom(), context)
        case OpenConnections.Request.abort:
            tellStreams(.abort)
            context.close(promise: nil)
        case ChannelEvent.inputClosed:
            hasInputEnded = true
            perform(state.inputEnded(), context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            state.answersFlowed()
            if wantsRead {
                wantsRead = false
                context.read()
            }
        } else {
            state.answersStalled(at: .now())
            setTimer(context)
        }
        context.fireChannelWritabilityChanged()
    }

    private func tellStreams(_ request: OpenConnections.Request) {
        for channel in channels.values { channel.pipeline.fireUserInboundEventTriggered(request) }
    }

    // MARK: The end

    private func perform(_ action: HTTP2ConnectionState.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .none: break
        case .announce:
            announce()
            let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(Self.announcement, ack: false))
            context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
        case .conclude(let last):
            goAway(last, context)
            context.flush()
            if state.streams == 0 { finish() }
        case .finish:
            // The last answer is written and not flushed yet.
            context.eventLoop.assumeIsolated().execute { [self] in finish() }
        case .close: context.close(promise: nil)
        }
    }

    /// Says that the connection ends, and lets the client begin streams until it knows that (RFC 9113 section 6.8).
    ///
    /// The frame passes by swift-nio, which would refuse the streams that are on their way if none is open.
    private func announce() {
        guard let frames else { return }
        var bytes = frames.channel.allocator.buffer(capacity: 17)
        // A length of 8, the type GOAWAY, no flags, and the connection itself
        bytes.writeBytes([0, 0, 8, 7, 0, 0, 0, 0, 0])
        bytes.writeInteger(UInt32(Int(HTTP2StreamID.maxID)))
        bytes.writeInteger(UInt32(HTTP2ErrorCode.noError.networkCode))
        frames.write(NIOAny(bytes), promise: nil)
    }

    private func goAway(_ last: HTTP2StreamID, _ context: ChannelHandlerContext) {
        let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil)
        context.write(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }

    /// Closes the server's side, and waits a moment for the client's end.
    ///
    /// A connection that is closed while the client sends is reset, and the client could then not read the last answer.
    private func finish() {
        guard let context, context.channel.isActive else { return }
        if hasInputEnded { return context.close(promise: nil) }
        state.finished(at: .now())
        context.close(mode: .output, promise: nil)
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
        let (action, reason) = state.timerFired(at: .now())
        if let reason { connections.count(reason) }
        perform(action, context)
        setTimer(context)
    }
}
