extension Mortise {
    /// Gets the state of the installation.
    ///
    /// Requires an operator key.
    ///
    /// - Returns: The state, as the node sees it that answers.
    /// - Throws: ``MortiseError``.
    public func status() async throws(MortiseError) -> Status {
        try await transport.read(.get(["v1", "status"]))
    }
}

extension Mortise.Status: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        nodes = try answer.objects("nodes")
        controlPools = try answer.objects("control_pools")
        memory = try answer.object("memory")
        clusters = try answer.objects("clusters")
    }
}

extension Mortise.Status.Node: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        version = try answer.text("version")
        startedAt = try answer.time("started_at")
    }
}

extension Mortise.Status.Pool: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        purpose = try answer.text("purpose")
        open = try answer.integer("open")
        idle = try answer.integer("idle")
        waiting = try answer.integer("waiting")
    }
}

extension Mortise.Status.Memory: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        keys = try answer.integer("keys")
        bytes = try answer.integer("bytes")
    }
}

extension Mortise.Status.Lease: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        host = try answer.textIfAny("host")
        processID = try answer.integerIfAny("process_id")
        version = try answer.textIfAny("version")
        peppers = try answer.textsIfAny("peppers")
        ageMilliseconds = try answer.integer("age_milliseconds")
        isOwn = try answer.bool("is_own")
        isSilent = try answer.bool("is_silent")
    }
}

extension Mortise.Status.Lookups: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        open = try answer.integer("open")
        limit = try answer.integerIfAny("limit")
        waiting = try answer.integer("waiting")
    }
}

extension Mortise.Status.Cluster: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        address = try answer.textIfAny("address")
        workspaces = try answer.integer("workspaces")
        isReachable = try answer.bool("is_reachable")
        fault = try answer.textIfAny("fault")
        version = try answer.textIfAny("version")
        connections = try answer.integerIfAny("connections")
        maximumConnections = try answer.integerIfAny("maximum_connections")
        lookups = try answer.object("lookups")
        changes = try answer.object("changes")
        leases = try answer.objects("leases")
        fences = try answer.integerIfAny("fences")
        oldestFenceMilliseconds = try answer.integerIfAny("oldest_fence_milliseconds")
        standbys = try answer.objects("standbys")
    }
}

extension Mortise.Status.Standby: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        name = try answer.text("name")
        state = try answer.text("state")
        synchronization = try answer.text("synchronization")
        lagBytes = try answer.integer("lag_bytes")
        lagMilliseconds = try answer.integer("lag_milliseconds")
    }
}
