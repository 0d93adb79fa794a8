import FoundationEssentials
import KeyStore
import Keys
import Notices
import Postgres
import Tenancy
import Verification

/// Changes keys: the one way to create, change or delete a key of any kind.
struct KeyChanges: Sendable {
    let context: ServiceDependencies
    let access: AccessControl
    let idempotency: Idempotency

    init(_ context: ServiceDependencies, access: AccessControl) {
        self.context = context
        self.access = access
        idempotency = Idempotency(context: context)
    }

    /// The keys that a change is about.
    enum Target: Sendable {
        /// A key that the change creates.
        case new
        /// An existing key, which the change locks.
        case existing(UUID)
        /// Existing keys, at least one and each named once, which the change locks. All of them are changed, or none.
        case each([UUID])
        /// All keys of the collection.
        case all

        /// The keys that the change locks.
        var keyIDs: [UUID] {
            switch self {
            case .new, .all: []
            case .existing(let id): [id]
            case .each(let ids): ids
            }
        }

        /// Returns the refusal of a target of which only some keys exist in the collection.
        func refusal(finding keys: [KeyRecord]) -> Refusal {
            guard case .each(let ids) = self else { return .notFound }
            let found = Set(keys.map(\.id))
            return .ofKeys(ids.indices.filter { !found.contains(ids[$0]) }, .notFound)
        }
    }

    /// The id under which a request that issues a token is recorded.
    enum Resource: Sendable {
        case newKey
        case target
    }

    // MARK: Changes of settings and state

    /// An event of a changed key.
    typealias Event = (type: EventType, changes: EventChanges)

    /// A change of one key's record in the open transaction, which returns the events.
    ///
    /// Without an event nothing is written.
    typealias Modification = (inout KeyRecord, KeyChange) async throws -> [Event]

    /// Changes a key's settings or state.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - keys: The collection that contains the key.
    ///   - caller: The caller.
    ///   - lane: `stops` for a change that stops a key.
    ///   - restrictions: The restrictions that the request sets, also those that the key has already. They keep the
    ///     caller's rank.
    ///   - body: Changes the record.
    /// - Returns: The key.
    /// - Throws: `Refusal`, or the database's errors.
    func modify(
        _ id: UUID,
        in keys: KeyCollection,
        by caller: Caller,
        _ lane: ServiceDependencies.Lane = .changes,
        restricting restrictions: Set<String> = [],
        _ body: Modification
    ) async throws -> KeyRecord {
        try await perform(.existing(id), in: keys, by: caller, lane) { targets, change in
            try await modify(try targets.only(), change, restricting: restrictions, body)
        }
        .merging(usesBy: context.usage.lastUse)
    }

    /// A key as a stop leaves it, and the events: none if the key was stopped already.
    typealias Stop = (stop: KeyRecord.Stop, events: [Event])

    /// The number of keys of a stop after which other requests of the thread have their turn.
    private static let slice = 8

    /// Stops several keys in one transaction, and under one wait for all nodes.
    ///
    /// The number of statements does not depend on the number of keys, except for operator keys.
    ///
    /// - Parameters:
    ///   - ids: The keys, at least one and each named once.
    ///   - keys: The collection that contains the keys.
    ///   - caller: The caller.
    ///   - restrictions: The restrictions that the request sets, also those that the keys have already.
    ///   - body: Returns how one key is stopped.
    /// - Returns: The keys, in the order of the ids.
    /// - Throws: `Refusal.ofKeys` if the stop of a key is refused, `Refusal`, or the database's errors. Then no key was changed.
    func stop(
        _ ids: [UUID],
        in keys: KeyCollection,
        by caller: Caller,
        restricting restrictions: Set<String> = [],
        _ body: (KeyRecord, KeyChange) throws -> Stop
    ) async throws -> [KeyRecord] {
        try await perform(.each(ids), in: keys, by: caller, .stops) { targets, change in
            var answer: [KeyRecord] = []
            var stopped: [KeyWriter.Stopped] = []
            for (position, old) in targets.enumerated() {
                if position > 0, position.isMultiple(of: Self.slice) { await Task.yield() }
                do {
                    var new = old
                    let (stop, events) = try body(old, change)
                    new.stop = stop
                    let (key, all) = holding(new, after: old, events, change, restricting: restrictions)
                    if all.isEmpty {
                        answer.append(key)
                        continue
                    }
                    let admitted = try await change.admitting(key, after: old)
                    answer.append(admitted)
                    stopped.append((admitted, all))
                    // The next operator key must see that this one works no more.
                    if keys.keyOwner == .platform {
                        try await change.stop(stopped)
                        stopped = []
                    }
                } catch let refusal as Refusal {
                    throw Refusal.ofKeys([position], refusal)
                }
            }
            try await change.stop(stopped)
            return answer
        }
        .map { $0.merging(usesBy: context.usage.lastUse) }
    }

    /// Changes one of the locked keys.
    private func modify(
        _ old: KeyRecord,
        _ change: KeyChange,
        restricting restrictions: Set<String>,
        _ body: Modification
    ) async throws -> KeyRecord {
        var new = old
        let own = try await body(&new, change)
        let (key, events) = holding(new, after: old, own, change, restricting: restrictions)
        guard !events.isEmpty else { return key }
        return try await change.update(from: old, to: key, events)
    }

    /// Returns a changed key with the restrictions that keep the caller's rank, and the events of the whole change.
    private func holding(
        _ new: KeyRecord,
        after old: KeyRecord,
        _ events: [Event],
        _ change: KeyChange,
        restricting restrictions: Set<String>
    ) -> (KeyRecord, [Event]) {
        let key = change.authority().holding(new, after: old, restricting: restrictions)
        guard events.isEmpty, key.holds != old.holds else { return (key, events) }
        var changes = EventChanges()
        changes.add("restrictions", restrictions.sorted())
        return (key, [(.updated, changes)])
    }

    /// Deletes a key.
    ///
    /// - Parameters:
    ///   - id: The key.
    ///   - keys: The collection that contains the key.
    ///   - caller: The caller.
    /// - Throws: `Refusal`, or the database's errors.
    func delete(_ id: UUID, in keys: KeyCollection, by caller: Caller) async throws {
        try await perform(.existing(id), in: keys, by: caller, .stops) { targets, change in
            try await change.delete(try targets.only())
        }
    }

    /// Deletes every key of an owner, in one transaction with the end of the owner.
    ///
    /// - Parameters:
    ///   - keys: The keys of the owner.
    ///   - caller: The caller.
    ///   - body: Ends the owner, after its keys.
    /// - Throws: `Refusal`, the errors of `body`, or the database's errors.
    func deleteAll(_ keys: KeyCollection, by caller: Caller, _ body: (KeyChange) async throws -> Void) async throws {
        try await perform(.all, in: keys, by: caller) { _, change in
            while true {
                let page = try await change.store
                    .list(in: keys.keyOwner, KeyFilter(), at: .newest(offset: 0), limit: 500)
                if page.isEmpty { break }
                for key in page { try await change.delete(key) }
            }
            try await body(change)
        }
    }

    /// Returns when every node and the standby know what a read has found: that keys are gone.
    ///
    /// The read can have been answered by a server that was replaced, so keys that are named are looked for again.
    ///
    /// - Parameters:
    ///   - ids: The keys; `nil` stands for all keys of the collection's database.
    ///   - keys: The collection.
    /// - Throws: `Refusal.outcomeUnknown` if one of them is there; `Refusal`, or the database's errors.
    func confirmMissing(_ ids: [UUID]?, in keys: KeyCollection) async throws {
        let (workspace, organization) = (keys.workspace?.facts, keys.owningOrganizationID)
        try await context.announcing(workspace, .stops) { mark in
            try await context.fenced(ids, in: workspace, of: organization, .stops, mark) { connection in
                try await connection.auditedTransaction { transaction in
                    let found = try await KeyStore(transaction.connection).find(ids ?? [], in: keys.keyOwner)
                    guard found.isEmpty else { throw Refusal.outcomeUnknown }
                }
            }
        }
    }

    // MARK: Issued tokens

    /// Creates or rotates a key, and answers a repeated request with the same `Idempotency-Key` as the first one.
    ///
    /// A repeated request is answered even if the key or the workspace has ended since. A first request needs an active
    /// workspace.
    ///
    /// - Parameters:
    ///   - target: The key.
    ///   - resource: The id under which the request is recorded.
    ///   - keys: The collection.
    ///   - caller: The caller.
    ///   - owner: Returns the owner of a key that an earlier request created; by default the collection's.
    ///   - body: Writes the key and returns the answer and the token.
    /// - Returns: The answer and the token.
    /// - Throws: `Refusal`, or the database's errors.
    func issue(
        _ target: Target,
        recordedAs resource: Resource,
        in keys: KeyCollection,
        by caller: Caller,
        owner: (IdempotencyRecord, KeyStore) async throws -> KeyOwner? = { _, _ in nil },
        _ body: (KeyRecord?, KeyChange) async throws -> IssuedKey
    ) async throws -> IssuedKey {
        try await perform(target, claiming: resource, in: keys, by: caller) { targets, change in
            if case .replay(let record) = change.claim {
                let owner = try await owner(record, change.store) ?? keys.keyOwner
                return try await replay(record, of: owner, change)
            }
            try await requireActiveWorkspace(change)
            let issued = try await body(targets.first, change)
            try await idempotency.complete(
                change.claim,
                resource: issued.keyID,
                answer: issued.answer,
                in: change.transaction
            )
            return issued
        }
    }

    /// Throws unless the keys' workspace is active.
    ///
    /// Its state cannot change until the transaction ends.
    private func requireActiveWorkspace(_ change: KeyChange) async throws {
        guard change.keys.workspaceID != nil else { return }
        let state = try await change.lockWorkspaceState()
        guard state == WorkspaceState.active.rawValue else {
            throw Refusal.conflict("The workspace is \(state ?? "deleted"); new secrets need an active workspace.")
        }
    }

    /// Answers a repeated request: the token is derived again and must match the stored digest.
    ///
    /// The answer contains a token, so the caller must still be able to create the key as it is now.
    private func replay(
        _ record: IdempotencyRecord,
        of owner: KeyOwner,
        _ change: KeyChange
    ) async throws -> IssuedKey {
        let store = change.store
        guard let key = try await store.find(record.resourceID, in: owner) else { throw Refusal.resourceDeleted }
        try change.authority(over: owner).requireReplay(of: key)
        // The prefix of new tokens can have changed since. The prefix of a token that exists has not.
        for prefix in key.tokenPrefixes {
            let token = try idempotency.derivedToken(
                TokenForm(prefix: prefix, mode: key.mode),
                workspace: change.keys.ref,
                record,
                change.caller
            )
            for stored in context.secrets.peppers.digests(of: token) {
                guard try await store.hasSecret(stored.digest, key: key.id, in: owner) else { continue }
                guard let answer = record.answer else { throw Refusal.resourceDeleted }
                return IssuedKey(answer: answer, token: token, isReplay: true, keyID: key.id)
            }
        }
        throw Refusal.resourceDeleted
    }

    // MARK: First keys

    /// Creates the first keys of an installation, in one transaction with what else a first start creates.
    func seed<Outcome>(_ body: (KeyChange) async throws -> Outcome) async throws -> Outcome {
        try await perform(.new, in: .platform, by: .system) { _, change in try await body(change) }
    }

    // MARK: The one function

    /// Carries out a change of keys.
    ///
    /// Every method that changes a key goes through here, and nothing else calls `KeyStore.change`.
    ///
    /// First the fences are raised. Then in one transaction, in this order: look at a member again, lock the keys, claim the
    /// `Idempotency-Key`, look at the caller again, read the clock, run `body`, which writes keys together with their events.
    ///
    /// - Parameters:
    ///   - target: The keys.
    ///   - resource: The id under which the `Idempotency-Key` is recorded; `nil` for a change that is not recorded.
    ///   - keys: The collection.
    ///   - caller: The caller.
    ///   - lane: The connections to use.
    ///   - body: Gets the locked keys of an existing target, in its order.
    /// - Returns: The value that `body` returned.
    /// - Throws: `Refusal`, or the database's errors.
    private func perform<Outcome>(
        _ target: Target,
        claiming resource: Resource? = nil,
        in keys: KeyCollection,
        by caller: Caller,
        _ lane: ServiceDependencies.Lane = .changes,
        _ body: ([KeyRecord], KeyChange) async throws -> Outcome
    ) async throws -> Outcome {
        let request = KeyChangeRequest(
            of: keys.keyOwner,
            keys: target.keyIDs,
            callerKey: caller.principal.key(inDatabaseOf: keys),
            workspaceID: keys.workspaceID,
            makeID: { [context] in context.newID(at: $0) }
        )
        // A failed COMMIT can have committed.
        defer { if let place = keys.workspaceID ?? keys.keyOwner.organizationID { context.searches.add(place) } }
        return try await context.announcing(keys.workspace?.facts, lane) { mark in
            try await fenced(target, in: keys, lane, mark) { connection in
                var present = caller
                return try await KeyStore.change(request, on: connection) { transaction in
                    present = try await access.enter(caller, over: keys, in: transaction)
                } authorize: { locked, transaction in
                    guard locked.count == request.keyIDs.count else { throw target.refusal(finding: locked) }
                    var newID: UUID?
                    var claim = IdempotencyClaim.notRequested
                    if let resource {
                        let fresh = context.newID(at: try await transaction.now())
                        newID = fresh
                        let id = resource == .target ? request.keyIDs.first ?? fresh : fresh
                        claim = try await idempotency.claim(
                            caller,
                            workspace: keys.ref,
                            resource: id,
                            in: transaction
                        )
                    }
                    // After any wait: for the lock, or for a concurrent request with the same Idempotency-Key.
                    let current = try await access.recheck(present, over: keys, in: transaction)
                    try requireControl(of: locked, target, Authority(current.principal, over: keys))
                    return (current.attribution, (caller: current, newID: newID, claim: claim))
                } _: { locked, authorized, writer in
                    try await body(
                        locked,
                        KeyChange(
                            keys: keys,
                            caller: authorized.caller,
                            newID: authorized.newID ?? context.newID(at: writer.now),
                            claim: authorized.claim,
                            writer: writer,
                            idempotency: idempotency
                        )
                    )
                }
            }
        }
    }

    /// Throws if the caller cannot change one of the locked keys at all.
    private func requireControl(of keys: [KeyRecord], _ target: Target, _ authority: Authority) throws(Refusal) {
        for (position, key) in keys.enumerated() {
            do throws(Refusal) {
                try authority.requireControl(of: key)
            } catch {
                if case .each = target { throw .ofKeys([position], error) }
                throw error
            }
        }
    }

    /// Runs a change under the fences that its target needs: one for each key.
    ///
    /// Nothing is locked or claimed before they stand, because that is done over the connection, which comes after their wait.
    /// A new key needs none: nothing is known of it, and no node keeps in memory that a token is unknown.
    private func fenced<T>(
        _ target: Target,
        in keys: KeyCollection,
        _ lane: ServiceDependencies.Lane,
        _ mark: EventMark,
        _ change: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let (workspace, organization) = (keys.workspace?.facts, keys.owningOrganizationID)
        switch target {
        case .new:
            await mark.end()
            return
                try await context.withConnection(to: workspace, lane) { connection in
                    try await settled(connection) { try await change(connection) }
                }
                .get()
        case .existing, .each:
            return
                try await context.fenced(target.keyIDs, in: workspace, of: organization, lane, mark) { connection in
                    try await settled(connection) { try await change(connection) }
                }
                .get()
        case .all: return try await context.fenced(nil, in: workspace, of: organization, lane, mark, change)
        }
    }

    /// Returns the refusal of a change as a value if it tells of an earlier change, once that change is safe.
    ///
    /// An error ends the fences at once, and a value only after the commit of their lift. A deletion that was answered with 503 can have
    /// removed the key without a standby that has the removal. A repetition that says "not found" must wait until one has it, as a
    /// repetition that finds a revoked key does (decision 0014, rules 30 and 31). The refused transaction was rolled back, so the wait is
    /// that of an empty one on the same server, which can be another one than that of the fences.
    private func settled<Outcome>(
        _ connection: PostgresConnection,
        _ change: () async throws -> Outcome
    ) async throws -> Result<Outcome, Refusal> {
        do {
            return .success(try await change())
        } catch let refusal as Refusal where refusal.tellsOfEarlierChange {
            try await connection.auditedTransaction { _ in }
            return .failure(refusal)
        } catch let error as PostgresError where error.sqlState == .uniqueViolation {
            // The other key can be committed without a standby, too. The error becomes a refusal further up.
            try await connection.auditedTransaction { _ in }
            throw error
        }
    }
}

extension [KeyRecord] {
    /// Returns the locked key of a target that is one key.
    fileprivate func only() throws(Refusal) -> KeyRecord {
        guard let first else { throw .notFound }
        return first
    }
}

extension KeyRecord? {
    /// Returns the locked key of an existing target.
    func required() throws(Refusal) -> KeyRecord {
        guard let self else { throw .notFound }
        return self
    }
}
