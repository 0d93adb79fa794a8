package import NIOCore
package import NIOPosix

/// One TCP connection that sends bytes as they are, and reads answers as a client of HTTP/1.1 does.
package struct RawConnection {
    private typealias Wire = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// An answer: the status line, the header fields and the body.
    package struct Answer: Sendable {
        /// The status.
        package let status: Int
        /// The text behind the status.
        package let reasonPhrase: String
        /// The header fields, with names in lower case.
        package let headers: [(name: String, value: String)]
        /// The body.
        package let body: String

        /// The value of the first field with a name in lower case.
        package subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

        /// True if the server said that it closes the connection.
        package var isLast: Bool { self["connection"]?.lowercased() == "close" }
    }

    private var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let output: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ByteBuffer()

    /// Connects, and closes the connection after `body`.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - receiveBuffer: The size of the socket's receive buffer. `nil` leaves it to the system.
    ///   - prepare: Adds handlers to the connection.
    ///   - body: Uses the connection.
    /// - Returns: The value of the body.
    /// - Throws: The error of the connection or of the body.
    package static func with<T>(
        _ address: SocketAddress,
        receiveBuffer: Int? = nil,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        _ body: (inout RawConnection) async throws -> T
    ) async throws -> T {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer)
        }
        let wire = try await Wire.connect(bootstrap, to: address, isOutboundHalfClosureEnabled: true)
        return try await wire.executeThenClose { inbound, outbound in
            var connection = RawConnection(input: inbound.makeAsyncIterator(), output: outbound)
            return try await body(&connection)
        }
    }

    private init(
        input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        output: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.input = input
        self.output = output
    }

    /// Sends a text.
    package func send(_ text: String) async throws { try await output.write(ByteBuffer(string: text)) }

    /// Sends bytes.
    package func send(_ bytes: ByteBuffer) async throws { try await output.write(bytes) }

    /// Sends nothing more.
    package func finish() { output.finish() }

    /// Sends a GET request.
    package func get(_ path: String = "/healthz", _ headers: String...) async throws {
        let fields = headers.map { "\($0)\r\n" }.joined()
        try await send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    }

    /// Reads an answer, or returns `nil` if the connection ends before one begins.
    package nonisolated(nonsending) mutating func answer() async throws -> Answer? { await read(hasBody: true) }

    /// Reads the answer to a HEAD request, which has no body whatever its length says.
    package nonisolated(nonsending) mutating func head() async throws -> Answer? { await read(hasBody: false) }

    private nonisolated(nonsending) mutating func read(hasBody: Bool) async -> Answer? {
        while true {
            if let answer = parse(hasBody: hasBody) { return answer }
            guard var more = try? await input.next(isolation: #isolation) else { return nil }
            received.writeBuffer(&more)
        }
    }

    /// Waits until the server closes its side, and returns the text until then.
    package nonisolated(nonsending) mutating func rest() async throws -> String {
        String(buffer: try await restBytes())
    }

    /// Waits until the server closes its side, and returns the bytes until then.
    package nonisolated(nonsending) mutating func restBytes() async throws -> ByteBuffer {
        try await bytes { _ in false }
    }

    /// Waits until the bytes that have arrived are enough, or until the server closes its side, and returns them.
    package nonisolated(nonsending) mutating func bytes(until isEnough: (ByteBuffer) -> Bool) async throws
        -> ByteBuffer
    {
        while !isEnough(received), var more = try? await input.next(isolation: #isolation) {
            received.writeBuffer(&more)
        }
        try Task.checkCancellation()
        defer { received.clear() }
        return received
    }

    /// Takes one answer from the bytes that have arrived.
    ///
    /// Answers without a length have no body.
    private mutating func parse(hasBody: Bool) -> Answer? {
        let text = String(buffer: received)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let words = lines[0].split(separator: " ", maxSplits: 2)
        let status = Int(words[1]) ?? 0
        let headers = lines.dropFirst()
            .map { line -> (String, String) in
                let parts = line.split(separator: ":", maxSplits: 1)
                let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                return (parts[0].lowercased(), value)
            }
        let length = hasBody ? headers.first { $0.0 == "content-length" }.flatMap { Int($0.1) } ?? 0 : 0
        let headBytes = text[..<end.upperBound].utf8.count
        guard received.readableBytes >= headBytes + length else { return nil }
        received.moveReaderIndex(forwardBy: headBytes)
        return Answer(
            status: status,
            reasonPhrase: words.count > 2 ? String(words[2]) : "",
            headers: headers,
            body: received.readString(length: length) ?? ""
        )
    }
}

extension NIOAsyncChannel {
    /// Connects, and wraps the channel after that.
    ///
    /// A wrapped channel that nobody runs, such as that of a refused connection, would end the process.
    package static func connect(
        _ bootstrap: ClientBootstrap,
        to address: SocketAddress,
        isOutboundHalfClosureEnabled: Bool = false
    ) async throws -> NIOAsyncChannel {
        let channel = try await bootstrap.connect(to: address).get()
        return try await channel.eventLoop
            .submit {
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: isOutboundHalfClosureEnabled)
                )
            }
            .get()
    }
}
