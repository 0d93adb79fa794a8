package import NIOCore
package import NIOHPACK
package import NIOHTTP2
import NIOPosix

/// One HTTP/2 connection whose frames a test sends and reads itself.
package struct FrameConnection {
    private typealias Wire = NIOAsyncChannel<HTTP2Frame, HTTP2Frame>

    /// The answer of a stream.
    package struct Answer: Sendable {
        /// The header fields, with the pseudo header `:status`.
        package fileprivate(set) var headers = HPACKHeaders()
        /// The header fields behind the body.
        package fileprivate(set) var trailers = HPACKHeaders()
        /// The body.
        package fileprivate(set) var body = ByteBuffer()
        /// The reason for which the server has reset the stream.
        package fileprivate(set) var reset: HTTP2ErrorCode?
        fileprivate var hasHead = false
        fileprivate var isComplete = false

        /// True for a stream that the server has not seen.
        ///
        /// The client did not begin it, because the server had said that the connection ends, or because the connection had ended.
        package var isUnsent: Bool { reset == EndGate.unsent }
        /// The value of a header or trailer.
        package subscript(name: String) -> String? { headers.first(name: name) ?? trailers.first(name: name) }
        /// The status.
        package var status: Int? { self[":status"].flatMap { Int($0) } }
        /// The text of the body.
        package var text: String { String(buffer: body) }
    }

    private var input: NIOAsyncChannelInboundStream<HTTP2Frame>.AsyncIterator
    private let output: NIOAsyncChannelOutboundWriter<HTTP2Frame>
    private var answers: [HTTP2StreamID: Answer] = [:]
    private var nextStream = 1
    /// The last streams that the server has named in GOAWAY.
    package private(set) var goAways: [HTTP2StreamID] = []

    /// The settings of a client whose streams may send as much as the connection.
    package static let settings = [HTTP2Setting(parameter: .initialWindowSize, value: 16_777_216)]

    /// Connects, and closes the connection after `body`.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - settings: The settings of the client.
    ///   - prepare: Adds handlers before those of HTTP/2.
    ///   - body: Uses the connection.
    /// - Returns: The value of the body.
    /// - Throws: The error of the connection or of the body.
    package static func with<T>(
        _ address: SocketAddress,
        settings: HTTP2Settings = FrameConnection.settings,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        _ body: (inout FrameConnection) async throws -> T
    ) async throws -> T {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel)
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.initialSettings = settings
                    // Tests send what a client must not send.
                    configuration.headerBlockValidation = .disabled
                    configuration.contentLengthValidation = .disabled
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ByteToMessageHandler(EndReader()))
                    try pipeline.addHandler(NIOHTTP2Handler(mode: .client, connectionConfiguration: configuration))
                    try pipeline.addHandler(EndGate())
                }
            }
        let wire = try await Wire.connect(bootstrap, to: address)
        return try await wire.executeThenClose { inbound, outbound in
            var connection = FrameConnection(input: inbound.makeAsyncIterator(), output: outbound)
            return try await body(&connection)
        }
    }

    private init(
        input: NIOAsyncChannelInboundStream<HTTP2Frame>.AsyncIterator,
        output: NIOAsyncChannelOutboundWriter<HTTP2Frame>
    ) {
        self.input = input
        self.output = output
    }

    /// Sends a frame.
    package func send(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) async throws {
        try await output.write(HTTP2Frame(streamID: id, payload: payload))
    }

    /// Begins a stream.
    ///
    /// - Parameters:
    ///   - headers: The header fields.
    ///   - body: The first part of the body. It leaves in one write with the header fields, because the server can reset
    ///     the stream when it has seen them, and the next part could then not be sent.
    ///   - endStream: If the client sends nothing more.
    /// - Returns: The stream.
    /// - Throws: The error of the connection.
    package nonisolated(nonsending) mutating func open(
        _ headers: HPACKHeaders,
        _ body: [UInt8]? = nil,
        endStream: Bool = true
    ) async throws -> HTTP2StreamID {
        let id = HTTP2StreamID(nextStream)
        nextStream += 2
        guard let body else {
            try await send(id, .headers(.init(headers: headers, endStream: endStream)))
            return id
        }
        let data = HTTP2Frame.FramePayload.Data(data: .byteBuffer(ByteBuffer(bytes: body)), endStream: endStream)
        let payloads: [HTTP2Frame.FramePayload] = [.headers(.init(headers: headers)), .data(data)]
        try await output.write(contentsOf: payloads.map { HTTP2Frame(streamID: id, payload: $0) })
        return id
    }

    /// Sends a part of a body.
    package func send(_ id: HTTP2StreamID, _ bytes: [UInt8], endStream: Bool = true) async throws {
        try await send(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: endStream)))
    }

    /// Waits for the end of a stream.
    ///
    /// - Returns: The answer, or `nil` if the connection ends before the stream that the server has seen.
    package nonisolated(nonsending) mutating func answer(_ id: HTTP2StreamID) async throws -> Answer? {
        while true {
            if let answer = answers[id], answer.isComplete {
                answers[id] = nil
                return answer
            }
            guard await receive() else {
                // The streams above the last one that the server names were not processed (RFC 9113 section 6.8).
                guard let last = goAways.last, id > last else { return nil }
                var unsent = Answer()
                unsent.reset = EndGate.unsent
                return unsent
            }
        }
    }

    /// Waits until the server closes the connection.
    package nonisolated(nonsending) mutating func rest() async throws {
        while await receive() {}
        try Task.checkCancellation()
    }

    /// Waits until the server has said that the connection ends.
    package nonisolated(nonsending) mutating func goAway() async throws {
        while goAways.isEmpty, await receive() {}
        try Task.checkCancellation()
    }

    /// Reads a frame.
    ///
    /// - Returns: False if the connection has ended.
    private nonisolated(nonsending) mutating func receive() async -> Bool {
        guard let frame = try? await input.next(isolation: #isolation) else { return false }
        var answer = answers[frame.streamID] ?? Answer()
        switch frame.payload {
        case .headers(let headers):
            // An interim answer.
            if headers.headers.first(name: ":status")?.hasPrefix("1") == true { return true }
            if answer.hasHead { answer.trailers = headers.headers } else { answer.headers = headers.headers }
            answer.hasHead = true
            answer.isComplete = headers.endStream
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data { answer.body.writeImmutableBuffer(bytes) }
            answer.isComplete = data.endStream
            // A connection that has ended needs none.
            try? await send(.rootStream, .windowUpdate(windowSizeIncrement: data.data.readableBytes))
        case .rstStream(let code):
            answer.reset = code
            answer.isComplete = true
        case .goAway(let last, _, _):
            goAways.append(last)
            return true
        default: return true
        }
        answers[frame.streamID] = answer
        return true
    }
}

/// The bytes of frames that no client sends (RFC 9113 section 4.1).
package enum RawFrame {
    /// The start of a connection: the preface and empty settings.
    package static let start = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + bytes(4)

    /// Returns a frame.
    ///
    /// - Parameters:
    ///   - type: The type: 0 is DATA, 1 HEADERS, 3 RST_STREAM, 4 SETTINGS, 6 PING, 8 WINDOW_UPDATE, 9 CONTINUATION.
    ///   - flags: The flags: 1 is END_STREAM or ACK, 4 is END_HEADERS.
    ///   - stream: The stream.
    ///   - payload: The payload.
    /// - Returns: The bytes.
    package static func bytes(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        bytes += [type, flags]
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: stream >> shift)) }
        return bytes + payload
    }

    /// The head of a frame, and the code of one that ends a stream.
    package struct Head: Sendable {
        /// The type, as in ``RawFrame/bytes(_:flags:stream:_:)``.
        package let type: UInt8
        /// The flags.
        package let flags: UInt8
        /// The stream.
        package let stream: Int
        /// The error code of RST_STREAM.
        package let code: Int?
    }

    /// Returns the heads of frames, of which the last can be incomplete.
    package static func heads(_ bytes: ByteBuffer) -> [Head] {
        var (bytes, heads) = (bytes, [Head]())
        while let high: UInt8 = bytes.readInteger(), let low: UInt16 = bytes.readInteger(),
            let type: UInt8 = bytes.readInteger(), let flags: UInt8 = bytes.readInteger(),
            let stream: UInt32 = bytes.readInteger(), let payload = bytes.readSlice(length: Int(high) << 16 | Int(low))
        {
            let code: UInt32? = type == 3 ? payload.getInteger(at: payload.readerIndex) : nil
            heads.append(Head(type: type, flags: flags, stream: Int(stream), code: code.map { Int($0) }))
        }
        return heads
    }

    /// Returns the frames for each number below a count.
    package static func repeated(_ count: Int, _ frames: (Int) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<count { bytes += frames(index) }
        return bytes
    }

    /// Returns fields as HPACK, none of them compressed (RFC 7541 section 6.2.2).
    package static func fields(_ fields: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, value) in fields {
            bytes.append(0)
            bytes += text(name)
            bytes += text(value)
        }
        return bytes
    }

    private static func text(_ text: String) -> [UInt8] {
        var length = text.utf8.count
        guard length >= 127 else { return [UInt8(length)] + text.utf8 }
        var bytes: [UInt8] = [127]
        length -= 127
        while length >= 128 {
            bytes.append(UInt8(length & 127 | 128))
            length >>= 7
        }
        return bytes + [UInt8(length)] + text.utf8
    }
}

/// Begins no stream after the server has said that the connection ends, as a client must not (RFC 9113 section 6.8).
private final class EndGate: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// The reason that the test sees for a stream that was not begun.
    static let unsent = HTTP2ErrorCode(networkCode: 0xFFFF)

    private var hasEnded = false
    private var last = HTTP2StreamID.rootStream

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let end = event as? EndReader.End else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: end.last, errorCode: end.code, opaqueData: nil)
        context.fireChannelRead(wrapInboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)))
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        if frame.streamID > last {
            guard !hasEnded else {
                promise?.succeed()
                // The body of the stream follows, and is dropped without a word.
                guard case .headers = frame.payload else { return }
                let reset = HTTP2Frame(streamID: frame.streamID, payload: .rstStream(Self.unsent))
                context.fireChannelRead(wrapInboundOut(reset))
                return context.fireChannelReadComplete()
            }
            last = frame.streamID
        }
        context.write(data, promise: promise)
    }
}

/// Takes the frames GOAWAY out of the bytes that a server sends.
///
/// The client of swift-nio takes a connection without an open stream for closed after the first one, and answers no PING then.
private struct EndReader: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// The end of a connection, as the server told it.
    struct End {
        let last: HTTP2StreamID
        let code: HTTP2ErrorCode
    }

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let start = buffer.readerIndex
        guard let high: UInt16 = buffer.getInteger(at: start), let low: UInt8 = buffer.getInteger(at: start + 2),
            let type: UInt8 = buffer.getInteger(at: start + 3),
            var frame = buffer.readSlice(length: 9 + Int(high) * 256 + Int(low))
        else { return .needMoreData }
        guard type == 7 else {
            context.fireChannelRead(wrapInboundOut(frame))
            return .continue
        }
        frame.moveReaderIndex(forwardBy: 9)
        guard let last: UInt32 = frame.readInteger(), let code: UInt32 = frame.readInteger() else { return .continue }
        let end = End(last: HTTP2StreamID(Int(last)), code: HTTP2ErrorCode(networkCode: Int(code)))
        context.fireUserInboundEventTriggered(end)
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext,
        buffer: inout ByteBuffer,
        seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}
