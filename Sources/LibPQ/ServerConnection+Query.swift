import CLibPQ

extension ServerConnection {
    /// Enters pipeline mode.
    ///
    /// The connection must be idle.
    ///
    /// - Throws: `LibPQError` if the connection is not idle.
    public func enterPipelineMode() throws(LibPQError) {
        guard unsafe PQenterPipelineMode(pointer) == 1 else { throw failure("PQenterPipelineMode") }
    }

    /// Leaves pipeline mode.
    ///
    /// Every result must have been read.
    ///
    /// - Throws: `LibPQError` if results are left.
    public func exitPipelineMode() throws(LibPQError) {
        guard unsafe PQexitPipelineMode(pointer) == 1 else { throw failure("PQexitPipelineMode") }
    }

    /// Queues the preparation of a statement.
    ///
    /// - Parameters:
    ///   - name: The name of the prepared statement.
    ///   - sql: The SQL.
    ///   - types: The types of the parameters, OIDs of `pg_type`. 0 leaves a type to the server.
    /// - Throws: `LibPQError` if the connection broke.
    public func sendPrepare(name: String, sql: String, types: [UInt32]) throws(LibPQError) {
        let sent = unsafe types.withUnsafeBufferPointer { types in
            unsafe PQsendPrepare(pointer, name, sql, Int32(types.count), types.baseAddress)
        }
        guard sent == 1 else { throw failure("PQsendPrepare") }
    }

    /// Queues the execution of a prepared statement.
    ///
    /// Parameters and results are binary.
    ///
    /// - Parameters:
    ///   - name: The name of the prepared statement.
    ///   - parameters: The values of its parameters.
    /// - Throws: `LibPQError` if the connection broke.
    public func sendQueryPrepared(name: String, parameters: ParameterBuffer) throws(LibPQError) {
        let sent = unsafe parameters.withArguments { count, values, lengths, formats in
            unsafe PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw failure("PQsendQueryPrepared") }
    }

    /// Queues the execution of a statement that is not prepared.
    ///
    /// Parameters and results are binary.
    ///
    /// - Parameters:
    ///   - sql: The SQL.
    ///   - parameters: The values of its parameters.
    /// - Throws: `LibPQError` if the connection broke.
    public func sendQuery(sql: String, parameters: ParameterBuffer) throws(LibPQError) {
        let sent = unsafe parameters.types.withUnsafeBufferPointer { types in
            unsafe parameters.withArguments { count, values, lengths, formats in
                unsafe PQsendQueryParams(
                    pointer,
                    sql,
                    count,
                    types.baseAddress,
                    values,
                    lengths,
                    formats,
                    1
                )
            }
        }
        guard sent == 1 else { throw failure("PQsendQueryParams") }
    }

    /// Sends SQL by the simple protocol: one or more statements without parameters.
    ///
    /// Not allowed in pipeline mode.
    ///
    /// - Throws: `LibPQError` in pipeline mode, or if the connection broke.
    public func sendScript(_ sql: String) throws(LibPQError) {
        guard unsafe PQsendQuery(pointer, sql) == 1 else { throw failure("PQsendQuery") }
    }

    /// Ends a group of statements in the pipeline.
    ///
    /// An error before the sync point does not reach the statements behind it. libpq before version 17 also flushes here.
    ///
    /// - Throws: `LibPQError` if the connection broke.
    public func pipelineSync() throws(LibPQError) {
        guard unsafe PQpipelineSync(pointer) == 1 else { throw failure("PQpipelineSync") }
    }

    /// Writes the queued messages.
    ///
    /// - Returns: True if all of them are written. Otherwise wait until the socket can be written **or read**, read, and flush again.
    /// - Throws: `LibPQError` if the connection broke.
    public func flush() throws(LibPQError) -> Bool {
        switch unsafe PQflush(pointer) {
        case 0: return true
        case 1: return false
        default: throw failure("PQflush")
        }
    }

    /// Reads the bytes that the socket holds.
    ///
    /// - Throws: `LibPQError` if the connection broke.
    public func consumeInput() throws(LibPQError) {
        guard unsafe PQconsumeInput(pointer) == 1 else { throw failure("PQconsumeInput") }
    }

    /// True if ``nextReply()`` would wait now.
    public var isBusy: Bool { unsafe PQisBusy(pointer) != 0 }

    /// A reply of `PQgetResult`.
    public enum Reply: Sendable {
        /// A result with rows, with a command tag or with an error.
        case result(ServerResult)
        /// A statement that was not executed, because a statement before it in the pipeline failed.
        case aborted
        /// A sync point of the pipeline.
        case sync
        /// The end of the results of one statement.
        case end
    }

    /// Returns the next reply.
    ///
    /// This call waits while ``isBusy`` is true.
    public func nextReply() -> Reply {
        guard let result = unsafe PQgetResult(pointer) else { return .end }
        let status = unsafe PQresultStatus(result)
        switch status {
        case PGRES_PIPELINE_SYNC:
            unsafe PQclear(result)
            return .sync
        case PGRES_PIPELINE_ABORTED:
            unsafe PQclear(result)
            return .aborted
        default: return unsafe .result(ServerResult(result, status: status))
        }
    }

    /// Returns the next notification that has arrived: its channel, its payload and the process that sent it.
    public func nextNotification() -> (channel: String, payload: String, process: Int32)? {
        guard let notification = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe (
            String(cString: notification.pointee.relname),
            String(cString: notification.pointee.extra),
            notification.pointee.be_pid
        )
    }
}
