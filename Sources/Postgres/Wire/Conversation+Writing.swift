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
        // A cancellation on its way stops whatever the server works on when it arrives: it could hit a new statement.
        if cancellation.isTraveling || isCopying { return nil }
        if case .pipeline(.complete) = position { return makeSync() }
        while let request = waiting.first {
            if request.isAbandoned {
                waiting.removeFirst()
                continue
            }
            // A statement that is sent again does not share the group of the statements before it.
            if case .pipeline(.open) = position, request.attempts > 0 { return makeSync() }
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
        case .query(let statement, let parameters):
            if case .simple = position {
                // A script can still be running: the pipeline begins after it.
                guard owesNothing else { return nil }
                position = .pipeline(.empty)
                return .enterPipeline
            }
            guard unanswered.count < Self.window else { return nil }
            waiting.removeFirst()
            return write(request, statement, parameters)
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

    private mutating func write(_ request: Request, _ statement: Statement, _ parameters: ParameterBuffer) -> Step {
        // A statement that is sent again has a group of its own, so that no other statement decides how it ends.
        let group: Group = policy == .everyQuery || request.attempts > 0 ? .complete : .open
        position = .pipeline(group)
        if !statement.isPlain { mayBeInTransaction = true }
        guard statement.isPrepared, usesPreparedStatements else {
            unanswered.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        if let name = prepared.name(of: statement, parameters) {
            unanswered.append(.query(request))
            return .execute(name: name, parameters)
        }
        guard prepared.hasRoom(for: statement) else {
            unanswered.append(.query(request))
            return .executeUnnamed(statement, parameters)
        }
        let name = prepared.add(statement, parameters)
        unanswered.append(.prepare(statement))
        unanswered.append(.query(request))
        position = .prepared(name: name, parameters, group)
        return .prepare(statement, types: parameters.types, name: name)
    }
}
