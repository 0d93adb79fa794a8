import Connections
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Answers the gRPC calls of a connection, each of which is a stream of HTTP/2.
///
/// The handler is the last one behind ``HTTP2ConnectionHandler``, and works on frames: a call has no channel and, if its answer is known at
/// once, no task. The answers of one read leave in one write. A call has a deadline for its message and one for its answer.
final class GRPCHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// A call that has not ended.
    private enum Call {
        /// The message arrives.
        case receiving(GRPCMethod, ByteBuffer, until: NIODeadline)
        /// The answer is looked for.
        case running(Task<Void, Never>)
        /// The answer is written, and the client has not taken all of it or has not ended its request.
        case answered(until: NIODeadline)

        var deadline: NIODeadline? {
            switch self {
            case .receiving(_, _, let until), .answered(let until): until
            case .running: nil
            }
        }

        var bufferedBytes: Int {
            if case .receiving(_, let bytes, _) = self { bytes.readableBytes } else { 0 }
        }
    }

    /// The largest message, in bytes.
    static let maximumMessage = 1_048_571
    /// The length of the prefix of a message: the flag of compression and the length.
    private static let prefix = 5
    /// The number of calls of one connection that can be under way.
    static let maximumCalls = 256
    /// The largest number of bytes of unfinished messages of one connection.
    private static let maximumBuffered = 16_777_216

    /// The limits of a connection.
    ///
    /// Gateways are trusted, and a gateway whose own deadline is short resets many streams in an outage. A gateway that records traces puts
    /// the `tracestate` of its client into the headers of a call, so they have room for all that it accepts from a client.
    static let limits = HTTP2Limits(
        streams: maximumCalls,
        headers: 65_536,
        window: maximumBuffered,
        streamWindow: maximumMessage + prefix,
        resets: 5000,
        controls: 1000,
        hasLongHeads: false
    )

    private let service: GRPCService
    private let executor: any TaskExecutor
    private let connection: HTTP2ConnectionHandler
    private var calls: [HTTP2StreamID: Call] = [:]
    private var runningTasks = 0
    private var buffered = 0
    private var isReading = false
    private var isFlushDue = false
    private var timer = DeadlineTimer()
    /// The place in the pipeline, until the connection has closed.
    private var context: ChannelHandlerContext?

    init(_ service: GRPCService, _ executor: any TaskExecutor, _ connection: HTTP2ConnectionHandler) {
        self.service = service
        self.executor = executor
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        cancelAll()
        calls.removeAll()
        self.context = nil
    }

    // MARK: Input

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .headers(let headers): receive(headers, frame.streamID, context)
        case .data(let data): receive(data, frame.streamID, context)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.flush()
    }

    private func receive(
        _ headers: HTTP2Frame.FramePayload.Headers,
        _ id: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        if let call = calls[id] {
            // Trailers, which mean nothing to these methods.
            if headers.endStream, case .receiving(let method, let bytes, _) = call { reply(method, bytes, id, context) }
            return
        }
        switch GRPCMethod.read(headers.headers) {
        case .refused(let answer):
            calls[id] = .answered(until: .now() + TimeAmount(service.limits.answer))
            write(.headers(.init(headers: answer, endStream: true)), id, context)
        case .method(let method):
            let until = NIODeadline.now() + TimeAmount(service.limits.body)
            calls[id] = .receiving(method, ByteBuffer(), until: until)
            if headers.endStream { reply(method, ByteBuffer(), id, context) }
        }
        setTimer(calls[id]?.deadline, context)
    }

    private func receive(
        _ data: HTTP2Frame.FramePayload.Data,
        _ id: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        guard case .receiving(let method, var bytes, let until) = calls[id], case .byteBuffer(let more) = data.data
        else {
            return
        }
        if bytes.readableBytes == 0 {
            bytes = more
        } else {
            calls[id] = nil
            bytes.writeImmutableBuffer(more)
        }
        buffered += more.readableBytes
        calls[id] = .receiving(method, bytes, until: until)
        if isTooLarge(bytes) {
            answer(service.calls.refuseMessage(of: method), id, context)
            guard !data.endStream else { return }
            // The client need not send the rest (RFC 9113 section 8.1). A reset would drop what has not been flushed.
            context.flush()
            write(.rstStream(.noError), id, context)
        } else if data.endStream {
            reply(method, bytes, id, context)
        }
    }

    /// Returns true if the message of a call is too large for the call, or for the connection.
    private func isTooLarge(_ bytes: ByteBuffer) -> Bool {
        if buffered > Self.maximumBuffered { return true }
        let length: UInt32? = bytes.getInteger(at: bytes.readerIndex + 1)
        return length.map { Int($0) > Self.maximumMessage } ?? false
    }

    // MARK: Calls

    /// Answers a request that is complete.
    private func reply(_ method: GRPCMethod, _ bytes: ByteBuffer, _ id: HTTP2StreamID, _ context: ChannelHandlerContext)
    {
        var bytes = bytes
        guard let flag: UInt8 = bytes.readInteger(), let length: UInt32 = bytes.readInteger(),
            Int(length) == bytes.readableBytes
        else { return answer(.status(.incomplete), id, context) }
        guard flag == 0 else { return answer(.status(flag == 1 ? .compressed : .incomplete), id, context) }
        // A task has a stream, unless the client has reset it.
        guard runningTasks < 4 * Self.maximumCalls else {
            return answer(service.calls.refuseCall(of: method), id, context)
        }
        switch service.calls.reply(to: method, Array(bytes.readableBytesView)) {
        case .now(let result): answer(result, id, context)
        case .later(let find): run(find, id, context)
        }
    }

    private func run(
        _ find: @escaping @Sendable () async -> GRPCCalls.Outcome,
        _ id: HTTP2StreamID,
        _ context: ChannelHandlerContext
    ) {
        endMessage(id)
        runningTasks += 1
        connection.taskBegan()
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        calls[id] = .running(
            Task(executorPreference: executor) { [eventLoop = context.eventLoop] in
                let outcome = await find()
                eventLoop.execute { handler.value.complete(id, outcome) }
            }
        )
    }

    private func complete(_ id: HTTP2StreamID, _ result: GRPCCalls.Outcome) {
        runningTasks -= 1
        defer { connection.taskEnded() }
        guard let context, case .running = calls[id] else { return }
        answer(result, id, context)
        guard !isReading, !isFlushDue else { return }
        // The answers that have arrived by then leave in the same write.
        isFlushDue = true
        context.eventLoop.assumeIsolated()
            .execute { [self] in
                isFlushDue = false
                self.context?.flush()
            }
    }

    /// Forgets the bytes of a message.
    private func endMessage(_ id: HTTP2StreamID) { buffered -= calls[id]?.bufferedBytes ?? 0 }

    // MARK: Answers

    private func answer(_ result: GRPCCalls.Outcome, _ id: HTTP2StreamID, _ context: ChannelHandlerContext) {
        endMessage(id)
        let until = NIODeadline.now() + TimeAmount(service.limits.answer)
        calls[id] = .answered(until: until)
        if case .status(let status) = result {
            write(.headers(.init(headers: status.trailersOnly, endStream: true)), id, context)
        } else {
            write(.headers(.init(headers: GRPCStatus.head)), id, context)
            write(.data(.init(data: .byteBuffer(message(result, context)))), id, context)
            write(.headers(.init(headers: GRPCStatus.success, endStream: true)), id, context)
        }
        setTimer(until, context)
    }

    private func message(_ result: GRPCCalls.Outcome, _ context: ChannelHandlerContext) -> ByteBuffer {
        var message = context.channel.allocator.buffer(capacity: 1024)
        message.writeRepeatingByte(0, count: Self.prefix)
        switch result {
        case .answer(let answer): answer.writeCheckResponse(to: &message)
        // HealthCheckResponse.status: 1 is SERVING, and 2 is NOT_SERVING
        case .health(let isServing): message.writeBytes([1 << 3, isServing ? 1 : 2])
        case .status: break
        }
        message.setInteger(UInt32(message.readableBytes - Self.prefix), at: 1)
        return message
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ id: HTTP2StreamID, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    // MARK: Events

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let closed as StreamClosedEvent:
            endMessage(closed.streamID)
            // The client has left, so nobody waits for the answer.
            if case .running(let task) = calls.removeValue(forKey: closed.streamID) { task.cancel() }
        case let updated as NIOHTTP2WindowUpdatedEvent where updated.streamID == .rootStream:
            widen(updated.inboundWindowSize ?? Self.limits.window, context)
        case OpenConnections.Request.abort: cancelAll()
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Lets the client send on before it has used up what it may send.
    ///
    /// Streams need no more than they begin with.
    private func widen(_ window: Int, _ context: ChannelHandlerContext) {
        guard window < Self.limits.window / 2 else { return }
        write(.windowUpdate(windowSizeIncrement: Self.limits.window - window), .rootStream, context)
        if !isReading { context.flush() }
    }

    private func cancelAll() {
        for case .running(let task) in calls.values { task.cancel() }
    }

    // MARK: Time

    private func setTimer(_ deadline: NIODeadline?, _ context: ChannelHandlerContext) {
        guard let deadline = timer.missed(deadline) else { return }
        timer.set(deadline, on: context.eventLoop) { [self] in timerFired(context) }
    }

    /// Resets the streams whose deadline has passed.
    ///
    /// Each deadline is the same time ahead, so the timer runs early for most calls, and looks for the next deadline then.
    private func timerFired(_ context: ChannelHandlerContext) {
        timer.fired()
        guard context.channel.isActive else { return }
        let now = NIODeadline.now()
        let late = calls.filter { $0.value.deadline.map { $0 <= now } ?? false }
        for id in late.keys { write(.rstStream(.cancel), id, context) }
        if !late.isEmpty { context.flush() }
        setTimer(calls.values.compactMap(\.deadline).min(), context)
    }
}
