import LibPQ

/// The next message.
extension Conversation {
    /// Returns the message to write now.
    ///
    /// The result is `nil` if there is no message, or if answers must arrive first.
    package mutating func next() -> Step? {
        if case .prepared(let name, let parameters, let group) = position {
            position = .pipeline(group)
            return .execute(name: name, parameters)
        }
        if let step = continueTransaction() { return step }
        // A cancellation on its way stops whatever the server works on when it arrives: it could hit a new statement.
        if cancellation.isTraveling || isCopying { return nil }
        if case .pipeline(.complete) = position { return makeSync() }
        while let request = waiting.first {
            if request.isAbandoned {
                waiting.removeFirst()
                continue
            }
            if case .pipeline(.open) = position, request.isGroup { return makeSync() }
            guard let step = step(for: request) else { break }
            return step
        }
        return isAtSyncPoint ? nil : makeSync()
    }

    private mutating func makeSync() -> Step {
        position = .pipeline(.empty)
        unanswered.append(.sync(nil))
        syncs += 1
        return .sync
    }

    private mutating func step(for request: Request) -> Step? {
        switch request.work {
        case .query, .transaction:
            if case .simple = position {
                // A script can still be running: the pipeline begins after it.
                guard owesNothing else { return nil }
                position = .pipeline(.empty)
                return .enterPipeline
            }
            guard unanswered.count < Self.window else { return nil }
            waiting.removeFirst()
            return begin(request)
        case .script(let sql), .copyIn(let sql):
            guard owesNothing, isAtSyncPoint else { return nil }
            guard case .simple = position else {
                position = .simple
                return .exitPipeline
            }
            waiting.removeFirst()
            unanswered.append(.query(request))
            mayBeInTransaction = true
            return .script(sql)
        }
    }

    /// Writes the first message of a statement or of a transaction.
    private mutating func begin(_ request: Request) -> Step? {
        switch request.work {
        case .query(let statement, let parameters):
            if !statement.isPlain { mayBeInTransaction = true }
            // A statement that is sent again has a group of its own, so that no other statement decides how it ends.
            let group: Group = policy == .everyQuery || request.isGroup ? .complete : .open
            return write(BoundStatement(statement, parameters), as: .query(request), group)
        case .transaction(let statements):
            mayBeInTransaction = true
            transaction = OpenTransaction(request: request, rest: statements[...])
            return write(BoundStatement(Self.beginning), as: .part(request, Self.beginning), .open)
        case .script, .copyIn:
            return nil
        }
    }

    /// The statement before those of a transaction, and the one after them.
    ///
    /// They are not prepared, so no preparation can be missing: an open transaction would have no end.
    private static let beginning = Statement("BEGIN READ WRITE", prepared: false)
    private static let commit = Statement("COMMIT", prepared: false)

    /// Returns the next message of the transaction that is being written.
    ///
    /// Its statements are one group, in which the first failure ends the transaction. COMMIT stands behind their sync point: it is executed
    /// in any case, and undoes a transaction that has failed. So the next statement never runs inside it.
    private mutating func continueTransaction() -> Step? {
        guard let transaction else { return nil }
        if let next = transaction.rest.first {
            self.transaction?.rest.removeFirst()
            return write(next, as: .part(transaction.request, next.statement), .open)
        }
        if case .pipeline(.open) = position { return makeSync() }
        self.transaction = nil
        return write(BoundStatement(Self.commit), as: .query(transaction.request), .complete)
    }

    /// Writes a statement, or its preparation, after which ``next()`` writes the statement itself.
    private mutating func write(_ bound: BoundStatement, as answer: Unanswered, _ group: Group) -> Step {
        let (statement, parameters) = (bound.statement, bound.parameters)
        position = .pipeline(group)
        guard statement.isPrepared, usesPreparedStatements else {
            unanswered.append(answer)
            return .executeUnnamed(statement, parameters)
        }
        if let name = prepared.name(of: statement, parameters) {
            unanswered.append(answer)
            return .execute(name: name, parameters)
        }
        guard prepared.hasRoom(for: statement) else {
            unanswered.append(answer)
            return .executeUnnamed(statement, parameters)
        }
        let name = prepared.add(statement, parameters)
        unanswered.append(.prepare(statement))
        unanswered.append(answer)
        position = .prepared(name: name, parameters, group)
        return .prepare(statement, types: parameters.types, name: name)
    }
}
