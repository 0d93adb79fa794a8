import LibPQ
import Postgres
import Testing

/// The rules of `Conversation`, without a server: the order of messages, and the outcome of each request.
@Suite struct ConversationTests {
    typealias Steps = [String]

    @Test func `each statement is its own group, so that a failure reaches no neighbor`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        talk.ask("b")
        #expect(
            talk.write() == ["enterPipeline", "prepare m1", "execute m1", "sync", "prepare m2", "execute m2", "sync"]
        )
    }

    @Test func `look-ups of one flush share one sync`() {
        var talk = Talk(policy: .perFlush)
        talk.ask("a")
        talk.ask("a")
        talk.ask("a")
        #expect(talk.write() == ["enterPipeline", "prepare m1", "execute m1", "execute m1", "execute m1", "sync"])
    }

    @Test func `the failure of a statement makes its neighbors go again, and only its own caller gets the error`() {
        var talk = Talk(policy: .perFlush)
        talk.ask("bad")
        talk.ask("good")
        _ = talk.write()
        talk.arrive(.answer, .end)  // prepare of "bad"
        talk.arrive(.failure, .end)  // "bad" itself
        talk.arrive(.aborted, .end)  // prepare of "good"
        talk.arrive(.aborted, .end)  // "good"
        talk.arrive(.sync)
        #expect(talk.finished == ["bad: server"])
        #expect(talk.write() == ["prepare m3", "execute m3", "sync"])
        talk.arrive(.answer, .end, .answer, .end, .sync)
        #expect(talk.finished == ["bad: server", "good: rows"])
    }

    @Test func `a statement whose preparation fails gets that error as its own`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("bad")
        _ = talk.write()
        talk.arrive(.failure, .end, .aborted, .end, .sync)
        #expect(talk.finished == ["bad: server"])
    }

    // The fault: a statement that waited for a lock is refused at the moment of its deadline, and its caller is told that the outcome
    // is unknown.
    @Test func `a statement that is its own transaction commits after its result, and not after its refusal`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("done")
        _ = talk.write()
        talk.arrive(.answer, .end, .answer, .end)
        let commitsAfterResult = talk.isCommitting
        #expect(commitsAfterResult)
        talk.arrive(.sync)
        talk.ask("refused")
        _ = talk.write()
        talk.arrive(.answer, .end, .failure, .end)
        let commitsAfterRefusal = talk.isCommitting
        #expect(!commitsAfterRefusal)
        talk.arrive(.sync)
        #expect(talk.finished == ["done: rows", "refused: server"])
    }

    @Test func `a statement that the server no longer knows is prepared again, once`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        _ = talk.write()
        talk.arrive(.answer, .end, .forgotten, .end, .sync)
        #expect(talk.finished.isEmpty)
        #expect(talk.write() == ["prepare m2", "execute m2", "sync"])
        talk.arrive(.answer, .end, .forgotten, .end, .sync)
        #expect(talk.finished == ["a: server"])
    }

    @Test func `a script waits until the pipeline is empty, and statements wait until the script has ended`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        talk.askScript("s")
        talk.ask("b")
        #expect(talk.write() == ["enterPipeline", "prepare m1", "execute m1", "sync"])
        talk.arrive(.answer, .end, .answer, .end, .sync)
        #expect(talk.write() == ["exitPipeline", "script"])
        talk.arrive(.answer, .answer, .end)
        #expect(talk.write() == ["enterPipeline", "prepare m2", "execute m2", "sync"])
        #expect(talk.finished == ["a: rows", "s: rows"])
    }

    @Test func `a transaction is one group behind a sync, and its COMMIT stands behind the next`() {
        var talk = Talk(policy: .perFlush)
        talk.ask("a")
        talk.askTransaction("t", ["x", "y"])
        talk.ask("a")
        let transaction = [
            "unnamed", "prepare m2", "execute m2", "prepare m3", "execute m3", "sync", "unnamed", "sync",
        ]
        #expect(
            talk.write() == ["enterPipeline", "prepare m1", "execute m1", "sync"] + transaction + [
                "execute m1", "sync",
            ]
        )
        talk.arrive(.answer, .end, .answer, .end, .sync)
        talk.arrive(.answer, .end, .answer, .end, .answer, .end, .answer, .end, .answer, .end, .sync)
        // Not before the COMMIT has answered.
        #expect(talk.finished == ["a: rows"])
        talk.arrive(.answer, .end, .sync, .answer, .end, .sync)
        #expect(talk.finished == ["a: rows", "t: rows", "a: rows"])
        let isConfused = talk.isConfused
        #expect(!isConfused)
    }

    // The attack: a statement of a transaction fails, and the next look-up runs in what is left of it.
    @Test func `the outcome of a transaction is its first error, and its COMMIT is sent in any case`() {
        var talk = Talk(policy: .perFlush)
        talk.askTransaction("t", ["x", "y"])
        talk.ask("a")
        _ = talk.write()
        talk.arrive(.answer, .end, .answer, .end, .failure, .end, .aborted, .end, .aborted, .end, .sync)
        #expect(talk.finished.isEmpty)
        talk.arrive(.answer, .end, .sync)
        #expect(talk.finished == ["t: server"])
        talk.arrive(.answer, .end, .answer, .end, .sync)
        #expect(talk.finished == ["t: server", "a: rows"])
        let isConfused = talk.isConfused
        #expect(!isConfused)
    }

    @Test func `the outcome of a script is its first error, whatever follows`() {
        var talk = Talk(policy: .everyQuery)
        talk.askScript("s")
        _ = talk.write()
        talk.arrive(.answer, .failure, .answer, .end)
        #expect(talk.finished == ["s: server"])
    }

    @Test func `no more statements than the window are written before answers arrive`() {
        var talk = Talk(policy: .perFlush)
        for _ in 0..<600 { talk.ask("a") }
        let first = talk.write()
        #expect(first.filter { $0 == "execute m1" }.count < 257)
        #expect(talk.write().isEmpty)
        talk.arrive(.answer, .end)
        for _ in first.filter({ $0 == "execute m1" }) { talk.arrive(.answer, .end) }
        talk.arrive(.sync)
        #expect(!talk.write().isEmpty)
    }

    @Test func `the statement of a caller that has left is not written`() {
        var talk = Talk(policy: .perFlush)
        talk.ask("a")
        talk.leave(0)
        #expect(talk.write().isEmpty)
    }

    @Test func `while a cancellation travels, no statement is written that it could hit`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        _ = talk.write()
        talk.beginCancellation()
        talk.ask("b")
        #expect(talk.write().isEmpty)
        talk.cancellationReturned()
        #expect(!talk.write().isEmpty)
    }

    @Test func `an answer without a request closes the connection`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        _ = talk.write()
        talk.arrive(.sync)
        let isConfused = talk.isConfused
        #expect(isConfused)
    }

    @Test func `when the connection is closed, written statements are reported apart from unwritten ones`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a")
        _ = talk.write()
        talk.ask("b")
        let (sent, unsent) = talk.abandon()
        #expect(sent == ["a"])
        #expect(unsent == ["b"])
    }

    @Test func `a passed deadline removes waiting statements and reports the statement that the server works on`() {
        var talk = Talk(policy: .everyQuery)
        talk.ask("a", deadline: .seconds(1))
        _ = talk.write()
        talk.ask("b", deadline: .seconds(1))
        talk.ask("c", deadline: .seconds(9))
        let (unsent, isHeadOverdue) = talk.expire(after: .seconds(2))
        #expect(unsent == ["b"])
        #expect(isHeadOverdue)
    }

    @Test func `statements without preparation are sent unnamed each time`() {
        var talk = Talk(policy: .everyQuery, usesPreparedStatements: false)
        talk.ask("a")
        #expect(talk.write() == ["enterPipeline", "unnamed", "sync"])
    }
}

/// A conversation whose requests have names.
private struct Talk: ~Copyable {
    enum Arrival { case answer, failure, forgotten, aborted, end, sync }

    private var conversation: Conversation
    private var statements: [String: Statement] = [:]
    private var requests: [(name: String, request: Request)] = []
    private let start = MonotonicInstant.now
    var finished: [String] = []
    var isConfused = false

    init(policy: Conversation.SyncPolicy, usesPreparedStatements: Bool = true) {
        conversation = Conversation(policy: policy, usesPreparedStatements: usesPreparedStatements)
    }

    mutating func ask(_ name: String, deadline: Duration = .seconds(10)) {
        let statement = statements[name] ?? Statement(name)
        statements[name] = statement
        enqueue(name, .query(statement, ParameterBuffer()), deadline)
    }

    mutating func askTransaction(_ name: String, _ statements: [String]) {
        enqueue(name, .transaction(statements.map { BoundStatement(Statement($0)) }), .seconds(10))
    }

    mutating func askScript(_ name: String) { enqueue(name, .script(name), .seconds(10)) }

    private mutating func enqueue(_ name: String, _ work: Request.Work, _ deadline: Duration) {
        let request = Request(work, deadline: start + deadline)
        requests.append((name, request))
        conversation.enqueue(request)
    }

    mutating func leave(_ index: Int) {
        requests[index].request.finish(.failure(PostgresError(.cancelled, "left")))
    }

    var isCommitting: Bool { conversation.isCommitting }

    mutating func beginCancellation() { conversation.beginCancellation() }

    mutating func cancellationReturned() { conversation.cancellationReturned(at: start) }

    mutating func write() -> [String] {
        var steps: [String] = []
        while let step = conversation.next() {
            switch step {
            case .enterPipeline: steps.append("enterPipeline")
            case .exitPipeline: steps.append("exitPipeline")
            case .prepare(_, _, let name): steps.append("prepare \(name)")
            case .execute(let name, _): steps.append("execute \(name)")
            case .executeUnnamed: steps.append("unnamed")
            case .sync: steps.append("sync")
            case .script: steps.append("script")
            }
        }
        return steps
    }

    mutating func arrive(_ arrivals: Arrival...) {
        for arrival in arrivals {
            let outcome =
                switch arrival {
                case .answer: conversation.receive(.answer(.none))
                case .failure: conversation.receive(.failure(PostgresError(.server, "no")))
                case .forgotten: conversation.receive(.failure(Self.forgotten))
                case .aborted: conversation.receive(.aborted)
                case .end: conversation.receive(.endOfResults)
                case .sync: conversation.receive(.sync)
                }
            switch outcome {
            case .nothing, .copyStarted: break
            case .confused: isConfused = true
            case .finish(let request, .success): finished.append("\(name(request)): rows")
            case .finish(let request, .failure(let error)):
                finished.append("\(name(request)): \(error.code)")
            }
        }
    }

    private static var forgotten: PostgresError {
        var error = PostgresError(.server, "forgotten")
        error.sqlState = .invalidStatementName
        return error
    }

    private func name(_ request: Request) -> String {
        requests.first { $0.request === request }?.name ?? "?"
    }

    private func names(_ asked: [Request]) -> [String] {
        var names: [String] = []
        for request in asked { names.append(name(request)) }
        return names
    }

    mutating func abandon() -> ([String], [String]) {
        let (sent, unsent) = conversation.abandon()
        return (names(sent), names(unsent))
    }

    mutating func expire(after time: Duration) -> ([String], Bool) {
        let (unsent, isHeadOverdue) = conversation.expired(at: start + time)
        return (names(unsent), isHeadOverdue)
    }
}
