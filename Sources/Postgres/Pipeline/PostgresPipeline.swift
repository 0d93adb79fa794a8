import LibPQ
public import Logging

/// One connection per reactor that any number of tasks share for look-ups: statements that read, each by itself.
///
/// - All look-ups that arrive while the reactor is busy leave in one flush with one sync point. So the more look-ups there are, the less
///   each of them costs.
/// - Identical look-ups are joined, but **only while the first one is not written yet**: a result on its way can be older than the caller.
/// - The server holds the connection to be read-only. This makes a shared sync point safe: a failed look-up cannot undo another one.
/// - A caller that is cancelled or late leaves alone. Its look-up is not cancelled on the server, because others share the connection. The
///   server's `statement_timeout`, set to the configuration's `queryDeadline`, ends a slow look-up.
/// - The pipeline connects at the first look-up, and again after the connection broke. A look-up whose connection broke is sent once more.
///   After a failed attempt it pauses for up to 0.8 s,
///   and callers fail at once meanwhile.
public final class PostgresPipeline: Sendable {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let spans: ClientSpans?
    private let silence: Duration?
    private let question: SessionQuestion?
    let lanes: [PipelineLane]

    /// Creates a pipeline.
    ///
    /// The first look-ups open its connections.
    ///
    /// Look-ups are traced if a tracer is installed when the pipeline is created.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - reactors: The threads that serve the connections, at least one. Each has one connection. A task that runs on one of these
    ///     reactors uses the connection of that reactor. For other tasks the parameters decide, so that identical look-ups meet.
    ///   - silence: The time without an answer after which a session counts as frozen. It is closed then, and its look-ups are sent once
    ///     more on a new session, which has the time of a whole statement to answer. Set it well above the time of the slowest look-up.
    ///     Defaults to `nil`: a session has the time of a whole statement, and some more.
    ///   - question: A question about the server that each session answers once, before its first ``answer(_:_:deadline:)``. Defaults to
    ///     `nil`: no question.
    ///   - logger: Receives the server's notices at level `debug`.
    public init(
        _ configuration: PostgresConfiguration,
        reactors: [Reactor],
        silence: Duration? = nil,
        question: SessionQuestion? = nil,
        logger: Logger
    ) {
        self.silence = silence
        self.question = question
        precondition(!reactors.isEmpty, "a pipeline needs a reactor")
        lanes = reactors.map { PipelineLane($0) }
        spans = ClientSpans(configuration)
        self.configuration =
            configuration
            .setting("default_transaction_read_only", "on")
            .setting("statement_timeout", "\(configuration.queryDeadline.timeoutMilliseconds)ms")
        self.logger = logger
    }

    /// Executes a look-up and returns its rows.
    ///
    /// A cancelled task gets `cancelled` at once.
    ///
    /// - Parameters:
    ///   - statement: A statement that reads.
    ///   - parameters: The values of `$1`, `$2`, …
    ///   - deadline: The maximum time, with the time to connect. Defaults to the configuration's `queryDeadline`.
    /// - Returns: The rows.
    /// - Throws: `server` with the server's error, `connectFailed`, `connectionLost`, `deadlineExceeded`, `cancelled`, `queueFull` or
    ///   `closed`.
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Rows { try await traced(statement, parameters, deadline, nil).rows }

    /// Executes a look-up, and returns its rows with the mark of the session that answered.
    ///
    /// A cancelled task gets `cancelled` at once.
    ///
    /// - Parameters:
    ///   - statement: A statement that reads.
    ///   - parameters: The values of `$1`, `$2`, …
    ///   - deadline: The maximum time, with the time to connect. Defaults to the configuration's `queryDeadline`.
    /// - Returns: The rows, and the mark. It is ``SessionMark/none`` if the pipeline has no question.
    /// - Throws: The errors of ``query(_:_:deadline:)``, and those of the session's question.
    public func answer(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws(PostgresError) -> PipelineAnswer { try await traced(statement, parameters, deadline, question) }

    @inline(__always)
    private func traced(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable],
        _ deadline: Duration?,
        _ question: SessionQuestion?
    ) async throws(PostgresError) -> PipelineAnswer {
        guard let spans else { return try await lookUp(statement, parameters, deadline, question) }
        return try await spans.statement(statement) { () async throws(PostgresError) in
            try await lookUp(statement, parameters, deadline, question)
        }
    }

    @inline(__always)
    private func lookUp(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable],
        _ deadline: Duration?,
        _ question: SessionQuestion?
    ) async throws(PostgresError) -> PipelineAnswer {
        let parameters = ParameterBuffer(parameters)
        let instant = PostgresDeadline.instant(after: deadline ?? configuration.queryDeadline)
        do throws(PostgresError) {
            return try await lookUpOnce(statement, parameters, until: instant, question)
        } catch {
            // A look-up only reads, so a session that ended or froze meanwhile costs no more than a second attempt.
            guard error.endedSession, MonotonicInstant.now < instant else { throw error }
            return try await lookUpAgain(statement, parameters, until: instant, question, after: error)
        }
    }

    /// Sends a look-up once more after its session ended.
    ///
    /// If no session can be opened, the first error is the one to report.
    private func lookUpAgain(
        _ statement: Statement,
        _ parameters: ParameterBuffer,
        until instant: MonotonicInstant,
        _ question: SessionQuestion?,
        after first: PostgresError
    ) async throws(PostgresError) -> PipelineAnswer {
        do throws(PostgresError) {
            return try await lookUpOnce(statement, parameters, until: instant, question)
        } catch {
            throw error.code == .connectFailed ? first : error
        }
    }

    @inline(__always)
    private func lookUpOnce(
        _ statement: Statement,
        _ parameters: ParameterBuffer,
        until instant: MonotonicInstant,
        _ question: SessionQuestion?
    ) async throws(PostgresError) -> PipelineAnswer {
        if Task.isCancelled { throw .taskCancelled }
        let lane = self.lane(parameters)
        let session = try session(of: lane)
        var mark = SessionMark.none
        if let question {
            if let known = session.mark {
                mark = known
            } else {
                // The question comes first: a server could answer a look-up as a standby, and the question after its promotion.
                let answer = try await execute(question.statement, ParameterBuffer([]), on: session, until: instant)
                mark = session.setMark(try question.mark(answer))
            }
        }
        let rows = try await execute(statement, parameters, on: session, until: instant)
        return PipelineAnswer(rows: rows, mark: mark)
    }

    @inline(__always)
    private func execute(
        _ statement: Statement,
        _ parameters: ParameterBuffer,
        on session: Session,
        until instant: MonotonicInstant
    ) async throws(PostgresError) -> Rows {
        let request = Request(.query(statement, parameters), deadline: instant)
        session.submit(request, joining: true)
        return try await request.value(onCancel: { request.resume(.failure(.taskCancelled)) })
    }

    /// Closes the sessions that have a mark.
    ///
    /// The next look-ups open new ones. A look-up that is under way on a closed session is sent once more.
    ///
    /// - Parameter mark: The mark.
    public func closeSessions(marked mark: SessionMark) {
        for lane in lanes {
            guard let session = lane.session, session.mark == mark else { continue }
            session.closeNow(.lost("the session was closed because of its mark"))
        }
    }

    /// Executes statements that write, as one transaction between two groups of look-ups.
    ///
    /// They are written together with their BEGIN and COMMIT, so no look-up runs in the middle of the transaction. Look-ups that arrive
    /// meanwhile wait for its end. It is for a short change now and then that is not worth a connection of its own.
    ///
    /// The transaction waits neither for a disk nor for a standby: its outcome can be lost if the server crashes within a second. A
    /// cancellation does not end it, because it can be committed already. The configuration's `queryDeadline` does.
    ///
    /// - Parameters:
    ///   - statements: The statements with their parameters.
    ///   - lockPatience: The maximum wait for each lock.
    /// - Throws: The errors of ``query(_:_:deadline:)``. After `commitOutcomeUnknown` the statements may have been executed.
    package func write(_ statements: [BoundStatement], lockPatience: Duration) async throws(PostgresError) {
        if Task.isCancelled { throw .taskCancelled }
        let lane = lanes[0]
        let instant = PostgresDeadline.instant(after: configuration.queryDeadline)
        let settings = BoundStatement(Self.transactionSettings, ["\(lockPatience.timeoutMilliseconds)ms"])
        let request = Request(.transaction([settings] + statements), deadline: instant)
        try session(of: lane).submit(request)
        do throws(PostgresError) {
            _ = try await request.value()
        } catch {
            guard error.wasSent, error.code != .server else { throw error }
            var uncertain = error
            uncertain.code = .commitOutcomeUnknown
            throw uncertain
        }
    }

    /// The settings of a transaction.
    ///
    /// Before version 17, libpq sends COMMIT behind a sync point separately. A process that is paused in between holds its locks for two
    /// seconds at most.
    private static let transactionSettings = Statement(
        """
        SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', $1, true),
            set_config('idle_in_transaction_session_timeout', '2s', true)
        """
    )

    private func session(of lane: PipelineLane) throws(PostgresError) -> Session {
        try lane.session { isPatient, whenOpened in
            Session(
                configuration,
                policy: .perFlush,
                silence: silence,
                isPatient: isPatient,
                reactor: lane.reactor,
                logger: logger,
                onOpen: whenOpened
            )
        }
    }

    /// True if a connection is open or being opened.
    public var isConnected: Bool {
        lanes.contains { $0.session?.isUsable ?? false }
    }

    /// True if connections are open, none is being opened, and none is known to be silent.
    ///
    /// An attempt to connect is no connection: a server that answers nobody keeps one under way all the time. Only a connection that is
    /// used finds out, so a single one decides.
    package var isAnswering: Bool {
        let sessions = lanes.compactMap(\.session).filter(\.isUsable)
        return !sessions.isEmpty && sessions.allSatisfy(\.isAnswering)
    }

    /// The numbers of callers whose look-ups can still be joined, wait to be written, and are written.
    package var backlog: (joinable: Int, waiting: Int, written: Int) {
        lanes.reduce(into: (0, 0, 0)) { sum, lane in
            guard let backlog = lane.session?.backlog else { return }
            sum = (sum.0 + backlog.joinable, sum.1 + backlog.waiting, sum.2 + backlog.written)
        }
    }

    /// Closes the connections.
    ///
    /// Callers that wait get `closed`, and so do later ones. The call does not wait, so a cancellation has no effect on it.
    public func shutdown() async {
        for lane in lanes { lane.shutDown() }
    }

    private func lane(_ parameters: ParameterBuffer) -> PipelineLane {
        if lanes.count == 1 { return lanes[0] }
        return lanes.first(where: \.reactor.isOwnThread)
            ?? lanes[Int(UInt(bitPattern: parameters.hashValue) % UInt(lanes.count))]
    }
}
