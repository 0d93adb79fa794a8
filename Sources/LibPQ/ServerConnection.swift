import CLibPQ

/// A connection of libpq: the owner of one `PGconn`.
///
/// All calls are synchronous. Once the connection is non-blocking, they return at once. The caller waits for the socket, and makes sure
/// that one thread at a time calls.
@safe
public final class ServerConnection: @unchecked Sendable {  // any thread, one at a time: the owner's locks ensure it
    let pointer: OpaquePointer
    private let notices: NoticeReceiver

    /// The progress of an attempt to connect.
    public enum PollStatus: Sendable {
        /// The server must answer. Wait until the socket can be read, then poll again.
        case reading
        /// libpq must write. Wait until the socket can be written, then poll again.
        case writing
        /// The connection is open.
        case ready
        /// The attempt failed. `errorMessage` has the reason.
        case failed
    }

    /// Starts to connect (`PQconnectStartParams`).
    ///
    /// This call **can block** while a name server resolves the host, and for no other reason. A Unix socket, an address or `hostaddr`
    /// needs no name server.
    ///
    /// - Parameters:
    ///   - keywords: libpq's connection keywords and their values.
    ///   - onNotice: Called with each notice, on the thread that uses the connection.
    /// - Returns: The connection. Call ``poll()`` until it is open.
    /// - Throws: `LibPQError` if the attempt failed at once.
    public static func connecting(
        _ keywords: [String: String],
        onNotice: @escaping @Sendable (ServerNotice) -> Void
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
        // Before the first message is read, because libpq's own receiver prints to stderr.
        unsafe notices.install(on: pointer)
    }

    deinit {
        unsafe PQfinish(pointer)
        // The receiver must outlive the connection that calls it.
        extendLifetime(notices)
    }

    /// Takes the attempt to connect one step further (`PQconnectPoll`).
    ///
    /// The connection can have another socket afterwards.
    public func poll() -> PollStatus {
        switch unsafe PQconnectPoll(pointer) {
        case PGRES_POLLING_READING: .reading
        case PGRES_POLLING_WRITING: .writing
        case PGRES_POLLING_OK: .ready
        default: .failed
        }
    }

    /// The descriptor of the socket, or -1 if there is none.
    public var socket: Int32 { unsafe PQsocket(pointer) }

    /// True if the connection can no longer be used.
    public var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }

    /// The latest message of libpq for this connection.
    public var errorMessage: String {
        guard let text = unsafe PQerrorMessage(pointer) else { return "" }
        return unsafe String(cString: text).trimmedTail
    }

    /// The server's version as a number: 150018 is 15.18.
    ///
    /// The value is 0 if the connection is not open.
    public var serverVersion: Int { unsafe Int(PQserverVersion(pointer)) }

    /// The host of the connection, as the connection string names it (`PQhost`).
    public var host: String {
        guard let text = unsafe PQhost(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// The port of the connection (`PQport`).
    public var port: String {
        guard let text = unsafe PQport(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// The server process of this connection, as `pg_stat_activity.pid` shows it.
    public var backendProcessID: Int32 { unsafe PQbackendPID(pointer) }

    /// Returns the value of a parameter that the server reports, such as `in_hot_standby`.
    public func parameterStatus(_ name: String) -> String? {
        guard let value = unsafe PQparameterStatus(pointer, name) else { return nil }
        return unsafe String(cString: value)
    }

    /// True if no transaction is open, as far as the results that were read show.
    public var isOutsideTransaction: Bool { unsafe PQtransactionStatus(pointer) == PQTRANS_IDLE }

    /// Makes every call return at once instead of waiting for the socket.
    ///
    /// - Throws: `LibPQError` if the connection broke.
    public func setNonBlocking() throws(LibPQError) {
        guard unsafe PQsetnonblocking(pointer, 1) == 0 else { throw failure("PQsetnonblocking") }
    }

    /// Returns a handle that can cancel the current statement from another thread.
    ///
    /// The result is `nil` if the connection is closed.
    public func cancelHandle() -> CancelHandle? {
        guard let handle = unsafe PQgetCancel(pointer) else { return nil }
        return unsafe CancelHandle(handle)
    }

    /// Returns a verifier, which `ALTER ROLE … PASSWORD` accepts instead of the password.
    ///
    /// - Parameters:
    ///   - password: The password. It does not leave this process.
    ///   - user: The name of the role. The algorithm `md5` uses it.
    ///   - algorithm: The algorithm, `scram-sha-256` or `md5`.
    /// - Returns: The text that the server stores.
    /// - Throws: `LibPQError` if the algorithm is unknown.
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

/// Passes an array of C strings with a null pointer at its end to `body`, as `PQconnectStartParams` expects it.
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
