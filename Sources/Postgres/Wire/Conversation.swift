import DequeModule
package import LibPQ

/// The order of messages on one connection: which statement is written next, and which statement an answer belongs to.
///
/// A pure state machine. The driver asks ``next()`` for the next message, writes it, and reports each answer to ``receive(_:)``.
/// The state machine touches no socket, no clock and no continuation.
///
/// The position of the sync points decides which statements fail together (libpq manual 34.5.1.3, "Error handling"):
/// - `everyQuery`: each statement is a group of its own. Each is its own transaction, and a failure does not reach a neighbor.
/// - `perFlush`: all statements of one flush are one group. This saves work on both sides. But a failure aborts the statements behind
///   it, which are then sent again, and rolls back the statements before it. This policy is **only for connections that the server
///   holds to be read-only**. The one exception is a whole transaction (`Request.Work.transaction`), which is written between two groups.
package struct Conversation: ~Copyable {
    /// The rule for sync points.
    package enum SyncPolicy: Sendable {
        /// A sync point after each statement.
        case everyQuery
        /// A sync point at the end of each flush.
        case perFlush
    }

    /// The message to write next, in libpq's terms.
    package enum Step {
        case enterPipeline
        case exitPipeline
        case prepare(Statement, types: [UInt32], name: String)
        case execute(name: String, ParameterBuffer)
        case executeUnnamed(Statement, ParameterBuffer)
        case sync
        case script(String)
    }

    /// A reply of `PQgetResult`.
    package enum Arrival {
        case answer(Rows)
        case copyReady(Rows)
        indirect case failure(PostgresError)
        case aborted
        case sync
        case endOfResults
        /// A result that no request of this module leads to, such as COPY … TO, which the driver would have to read to its end.
        case unexpected
    }

    /// The driver's next action after a result.
    package enum Action {
        case nothing
        /// Resume the callers of the request.
        case finish(Request, Outcome<Rows>)
        /// Resume the caller that started COPY: the server waits for its data.
        case copyStarted(Request, Rows)
        /// Close the connection: the answers do not match the requests.
        case confused
    }

    /// A message that the server has not answered yet.
    enum Unanswered {
        case prepare(Statement)
        case query(Request)
        /// A statement of a transaction before its COMMIT, which decides the outcome.
        case part(Request, Statement)
        /// A COPY for which the server expects data. No other message is unanswered meanwhile.
        case copyData(Request)
        /// A sync point. Once its statement has answered, also that statement, whose transaction ends here.
        case sync(Request?)
        /// A sync point in whose place an error came. That error is a result of its own, which has an end.
        case failedSync(Request?)

        var request: Request? {
            switch self {
            case .prepare: nil
            case .query(let request), .part(let request, _), .copyData(let request): request
            case .sync(let request), .failedSync(let request): request
            }
        }
    }

    /// The statements written since the last sync point.
    enum Group {
        /// There is no such statement.
        case empty
        /// Further statements can follow before the sync point.
        case open
        /// The sync point comes next.
        case complete
    }

    /// The place in the protocol at which the next message is written.
    enum Position {
        /// Outside pipeline mode, where scripts and COPY run.
        case simple
        /// Pipeline mode.
        case pipeline(Group)
        /// Pipeline mode, between the preparation of a statement and its execution.
        case prepared(name: String, ParameterBuffer, Group)
    }

    /// A transaction of which some statements are not written yet.
    struct OpenTransaction {
        let request: Request
        var rest: ArraySlice<BoundStatement>
    }

    let policy: SyncPolicy
    let usesPreparedStatements: Bool
    var position = Position.simple
    /// The transaction that is being written.
    ///
    /// No other message comes between two of its own.
    var transaction: OpenTransaction?
    var prepared = PreparedStatements()
    var waiting = Deque<Request>()
    var unanswered = Deque<Unanswered>()
    var cancellation = Cancellation.none
    /// True if a message that can open a transaction was written since the driver last saw that no transaction is open.
    var mayBeInTransaction = false

    /// True if the server refused a change because it is a standby, or was set to be read-only.
    ///
    /// A pool opens another connection then, which can lead to another server or to one that was promoted meanwhile.
    var wasRefusedWriting = false

    /// The number of sync points that were written.
    var syncs = 0
    /// The number of statements that were sent again.
    var repeats = 0

    /// The maximum number of messages that are written before their answers are read.
    ///
    /// The window limits the memory that both sides need for buffers.
    static let window = 256

    package init(policy: SyncPolicy, usesPreparedStatements: Bool) {
        self.policy = policy
        self.usesPreparedStatements = usesPreparedStatements
    }

    /// True if no request waits and the server owes no answer.
    var isIdle: Bool { waiting.isEmpty && owesNothing && isAtSyncPoint }
    /// True if the server owes no answer: it answers the next message first.
    var owesNothing: Bool { unanswered.isEmpty }
    var waitingCount: Int { waiting.count }
    /// True if more requests can be enqueued.
    ///
    /// Other requests stay in the inbox, where they can still be joined and their callers are counted.
    var hasRoom: Bool {
        waiting.count < Self.window && waiting.reduce(0) { $0 + $1.callerCount } < Inbox.bound
    }

    /// True while the server waits for COPY data.
    var isCopying: Bool {
        if case .copyData = unanswered.first { true } else { false }
    }

    /// True if the next answer is that of a transaction's COMMIT.
    ///
    /// A server that was stopped before it executed COMMIT would execute all later look-ups in that transaction.
    var isEndingTransaction: Bool {
        if case .query(let request) = unanswered.first, case .transaction = request.work { true } else { false }
    }

    var isAtSyncPoint: Bool {
        switch position {
        case .simple, .pipeline(.empty): transaction == nil
        case .pipeline, .prepared: false
        }
    }

    package mutating func enqueue(_ request: Request) { waiting.append(request) }
}
