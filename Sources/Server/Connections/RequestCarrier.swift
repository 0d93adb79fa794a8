import Connections
import HTTPTypes
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The carrier of requests: a connection of HTTP/1.1, or a stream of HTTP/2, which carries one.
enum RequestCarrier {
    /// A connection and its entry.
    case connection(OpenConnections.Entry, of: OpenConnections)
    /// A stream of a connection.
    case stream(of: HTTP2ConnectionHandler)

    /// True for a stream, whose connection goes on after its last answer.
    var isStream: Bool { if case .stream = self { true } else { false } }

    /// Notes that the carrier waits for a request.
    func becameIdle(at now: NIODeadline) {
        if case .connection(let entry, _) = self { entry.becameIdle(at: now) }
    }

    /// Notes that the carrier has a request.
    func becameBusy() {
        if case .connection(let entry, _) = self { entry.becameBusy() }
    }

    /// Notes the start of a task, which the server waits for.
    func taskBegan() {
        if case .stream(let connection) = self { connection.taskBegan() }
    }

    /// Notes the end of a task, which can be after the end of the carrier.
    func taskEnded(isOpen: Bool) {
        switch self {
        case .connection(let entry, let connections): if !isOpen { connections.remove(entry) }
        case .stream(let connection): connection.taskEnded()
        }
    }

    /// Notes the start of the carrier.
    func opened(_ channel: any Channel) {
        if case .stream(let connection) = self { connection.opened(channel) }
    }

    /// Notes the end of the carrier.
    func closed(_ channel: any Channel, hasTask: Bool) {
        switch self {
        case .connection(let entry, let connections): if !hasTask { connections.remove(entry) }
        case .stream(let connection): connection.closed(channel)
        }
    }

    /// Returns a part of an answer's body in the form that the carrier writes.
    func part(_ bytes: ByteBuffer, isLast: Bool) -> NIOAny {
        switch self {
        case .connection: NIOAny(bytes)
        case .stream: NIOAny(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes), endStream: isLast)))
        }
    }

    /// Returns the interim answer that lets the client send its body.
    var `continue`: NIOAny {
        switch self {
        case .connection: NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
        case .stream: NIOAny(HTTP2Frame.FramePayload.headers(.init(headers: [":status": "100"])))
        }
    }
}

extension HTTP2Frame.FramePayload {
    /// Returns the head of an answer (RFC 9113 section 8.3.2).
    ///
    /// - Parameters:
    ///   - response: The head.
    ///   - length: The length of the body, for an answer that must say it and does not.
    ///   - date: The value of `Date`.
    /// - Returns: The frame, which ends the stream if the answer has no body.
    static func head(_ response: HTTPResponse, length: Int, date: String) -> HTTP2Frame.FramePayload {
        var headers = HPACKHeaders([(":status", "\(response.status.code)")])
        var hasLength = [204, 304].contains(response.status.code)
        // Fields about an HTTP/1.1 connection must not be sent (RFC 9113 section 8.2.2).
        for field in response.headerFields where !Self.ofConnection.contains(field.name) {
            if field.name == .contentLength { hasLength = true }
            headers.add(name: field.name.canonicalName, value: field.value)
        }
        if !hasLength { headers.add(name: "content-length", value: "\(length)") }
        headers.add(name: "date", value: date)
        return .headers(.init(headers: headers, endStream: length == 0))
    }

    private static let ofConnection: Set<HTTPField.Name> = [.connection, .transferEncoding, .upgrade]
}
