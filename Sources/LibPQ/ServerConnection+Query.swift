import CLibPQ

extension ServerConnection {
    /// Enters pipeline mode.
    ///
    /// The connection must be idle.
    public func enterPipelineMode() throws(LibPQError) {
        guard unsafe PQenterPipelineMode(pointer) == 1 else { throw failure("PQenterPipelineMode") }
    }

    /// Leaves pipeline mode.
    ///
    /// Every result must have been read.
    public func exitPipelineMode() throws(LibPQError) {
        guard unsafe PQexitPipelineMode(pointer) == 1 else { throw failure("PQexitPipelineMode") }
    }

    /// Queues the preparation of a statement.
    public func sendPrepare(name: String, sql: String, types: [UInt32]) throws(LibPQError) {
        let sent = unsafe types.withUnsafeBufferPointer { types in
            unsafe PQsendPrepare(pointer, name, sql, Int32(types.count), types.baseAddress)
        }
        guard sent == 1 else { throw failure("PQsendPrepare") }
    }

    /// Queues the execution of a prepared statement; parameters and results are binary.
    public func sendQueryPrepared(name: String, parameters: ParameterBuffer) throws(LibPQError) {
        let sent = unsafe parameters.withArguments { count, values, lengths, formats in
            unsafe PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw failure("PQsendQueryPrepared") }
    }

    /// Queues an unnamed statement; parameters and results are binary.
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

    /// Sends SQL by the simple protocol: several statements, no parameters.
    ///
    /// Not in pipeline mode.
    public func sendScript(_ sql: String) throws(LibPQError) {
        guard unsafe PQsendQuery(pointer, sql) == 1 else { throw failure("PQsendQuery") }
    }

    /// Ends a group of the pipeline.
    ///
    /// An error before it does not reach what comes after it. libpq before 17 also flushes here.
    public func pipelineSync() throws(LibPQError) {
        guard unsafe PQpipelineSync(pointer) == 1 else { throw failure("PQpipelineSync") }
    }

    /// Writes what is queued.
    /// - Returns: whether all of it is written; if not, wait until the socket can be written **or read**, read, and flush again.
    public func flush() throws(LibPQError) -> Bool {
        switch unsafe PQflush(pointer) {
        case 0: return true
        case 1: return false
        default: throw failure("PQflush")
        }
    }

    /// Reads what the socket holds.
    public func consumeInput() throws(LibPQError) {
        guard unsafe PQconsumeInput(pointer) == 1 else { throw failure("PQconsumeInput") }
    }

    /// Whether reading a result now would wait.
    public var isBusy: Bool { unsafe PQisBusy(pointer) != 0 }

    /// The next result; `nil` ends the results of one query.
    ///
    /// Waits while `isBusy`.
    public func nextResult() -> ServerResult? {
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe ServerResult(result)
    }

    /// The next notification that has arrived: channel, payload and the process that sent it.
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
