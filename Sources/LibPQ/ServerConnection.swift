import CLibPQ

/// One `PGconn`, owned: the only place where it is created, used and finished.
///
/// Everything here is synchronous and, once the connection is non-blocking, returns at once. Waiting is the caller's business, and so
/// is calling from one thread at a time.
@safe
public final class ServerConnection: @unchecked Sendable {  // any thread, one at a time: the owner sees to it
    let pointer: OpaquePointer
    private let notices: NoticeReceiver

    /// How far a connection attempt has come.
    public enum PollStatus: Sendable {
        /// Wait until the socket can be read, then poll again.
        case reading
        /// Wait until the socket can be written, then poll again.
        case writing
        /// The connection is ready.
        case ready
        /// The attempt failed; `errorMessage` says why.
        case failed
    }

    /// Starts to connect (`PQconnectStartParams`).
    ///
    /// **Can block** for as long as a name server takes, and for nothing else; give a Unix socket, an address or `hostaddr` to rule that out.
    /// - Parameters:
    ///   - keywords: libpq's connection keywords.
    ///   - onNotice: called with the severity and message of each notice of the server, on whichever thread uses the connection.
    /// - Returns: the connection, which `poll` takes further.
    /// - Throws: `LibPQError` when the attempt failed at once.
    public static func connecting(
        _ keywords: [String: String],
        onNotice: @escaping @Sendable (String, String) -> Void
    ) throws(LibPQError) -> ServerConnection {
        guard !keywords.contains(where: { $0.key.utf8.contains(0) || $0.value.utf8.contains(0) }) else {
            throw LibPQError("PQconnectStartParams", "a connection keyword or its value contains a zero byte")
        }
        let list = keywords.sorted { $0.key < $1.key }
        let pointer = unsafe withCStrings(list.map(\.key)) { names in
            unsafe withCStrings(list.map(\.value)) { values in
                unsafe PQconnectStartParams(names, values, 0)
            }
        }
        guard let pointer = unsafe pointer else { throw LibPQError("PQconnectStartParams", "out of memory") }
        let connection = unsafe ServerConnection(pointer, notices: NoticeReceiver(onNotice))
        if connection.isBad { throw connection.failure("PQconnectStartParams") }
        return connection
    }

    private init(_ pointer: OpaquePointer, notices: NoticeReceiver) {
        unsafe self.pointer = pointer
        self.notices = notices
        // Before anything else is read, because libpq's own receiver prints to stderr.
        unsafe notices.install(on: pointer)
    }

    deinit {
        unsafe PQfinish(pointer)
        // The receiver must outlive the connection that calls it.
        extendLifetime(notices)
    }

    /// Takes the connection attempt one step further (`PQconnectPoll`).
    ///
    /// The socket can be another one afterwards.
    public func poll() -> PollStatus {
        switch unsafe PQconnectPoll(pointer) {
        case PGRES_POLLING_READING: .reading
        case PGRES_POLLING_WRITING: .writing
        case PGRES_POLLING_OK: .ready
        default: .failed
        }
    }

    /// The descriptor to wait on, or -1 when there is none.
    public var socket: Int32 { unsafe PQsocket(pointer) }

    /// Whether the connection can no longer be used.
    public var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }

    /// libpq's latest message for this connection.
    public var errorMessage: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "" }
        return unsafe String(cString: text).trimmedTail
    }

    /// The server's version as a number: 150018 is 15.18.
    ///
    /// 0 when not connected.
    public var serverVersion: Int { unsafe Int(PQserverVersion(pointer)) }

    /// The process that serves this connection, as `pg_stat_activity.pid` shows it.
    public var backendProcessID: Int32 { unsafe PQbackendPID(pointer) }

    /// A parameter that the server reported, such as `in_hot_standby`.
    public func parameterStatus(_ name: String) -> String? {
        guard let value = unsafe PQparameterStatus(pointer, name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Whether no transaction is open, as far as the results read so far tell.
    public var isOutsideTransaction: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }

    /// Makes every call return at once instead of waiting for the socket.
    public func setNonBlocking() throws(LibPQError) {
        guard unsafe PQsetnonblocking(pointer, 1) == 0 else { throw failure("PQsetnonblocking") }
    }

    /// What is needed to cancel from another thread; `nil` when the connection is closed.
    public func cancelHandle() -> CancelHandle? {
        guard let handle = unsafe PQgetCancel(pointer) else { return nil }
        return unsafe CancelHandle(handle)
    }

    /// The verifier that `ALTER ROLE … PASSWORD` may be given instead of the password, made with the algorithm that the server prefers.
    ///
    /// - Parameters:
    ///   - password: the password, which does not leave this process.
    ///   - user: the role; `md5` mixes it in.
    ///   - algorithm: `scram-sha-256` or `md5`.
    /// - Returns: what the server stores.
    /// - Throws: `LibPQError` when the algorithm is unknown.
    public func encryptedPassword(
        _ password: String,
        user: String,
        algorithm: String
    ) throws(LibPQError) -> String {
        guard let text = unsafe PQencryptPasswordConn(pointer, password, user, algorithm) else {
            throw failure("PQencryptPasswordConn")
        }
        defer { unsafe PQfreemem(text) }
        return unsafe String(cString: text)
    }

    func failure(_ function: String) -> LibPQError { LibPQError(function, errorMessage) }
}

/// Lends an array of C strings that a null pointer ends, as `PQconnectStartParams` wants it.
private func withCStrings<R>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for text in texts {
        offsets.append(bytes.count)
        bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
        bytes.append(0)
    }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
        var pointers = unsafe offsets.map { offset in unsafe buffer.baseAddress.map { unsafe $0 + offset } }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { list in
            guard let base = list.baseAddress else { preconditionFailure("the list ends with a null pointer") }
            return unsafe body(base)
        }
    }
}
