import FoundationEssentials
import Keys
import Postgres

extension KeyWriter {
    /// A key as it is when it is stopped, and the events of its stop, at least one.
    public typealias Stopped = (key: KeyRecord, events: [(type: EventType, changes: EventChanges)])

    /// The values of stopped keys that one statement writes.
    private struct StoppedState: Hashable {
        let stop: KeyRecord.Stop
        let holds: [String: String]
        let updatedAt: Timestamp

        init(_ key: KeyRecord) {
            var stop = key.stop
            stop.freesName = key.uniqueName == nil
            self.stop = stop
            holds = key.holds
            updatedAt = key.updatedAt
        }
    }

    /// Writes that several keys are stopped: a statement for all keys with the same state, and one for all events.
    ///
    /// Nothing else of the keys is written than ``KeyRecord/stop``, the held restrictions and the time of the change.
    ///
    /// - Parameter stopped: The keys of the request's owner.
    /// - Throws: The database's errors.
    public func stop(_ stopped: [Stopped]) async throws {
        guard let owned = stopped.first?.key else { return }
        precondition(stopped.allSatisfy { !$0.events.isEmpty }, "a change has an event")
        for (state, keys) in Dictionary(grouping: stopped.map(\.key), by: StoppedState.init) {
            try await write(state, of: keys)
        }
        var events: [KeyEvent] = []
        for (key, own) in stopped {
            for (type, changes) in own {
                events.append(
                    KeyEvent(
                        id: request.makeID(now),
                        keyID: key.id,
                        keyName: key.name,
                        type: type,
                        changes: changes
                    )
                )
            }
        }
        try await transaction.record(
            events,
            in: request.workspaceID,
            of: owned.organizationID,
            by: attribution,
            at: now
        )
    }

    private func write(_ state: StoppedState, of keys: [KeyRecord]) async throws {
        let stop = state.stop
        var values: [any PostgresEncodable] = [
            keys.map(\.id), stop.disabledAt?.stored, stop.revokedAt?.stored, stop.revokedBy, stop.revocationReason,
            state.updatedAt.stored, stop.freesName,
        ]
        let statements = request.owner.statements
        if statements.table.hasHolds, let key = keys.first { values.append(key.storedHolds) }
        let written = try await connection.query(statements.stop, values)
        guard written.affectedRows == keys.count else { throw PostgresError.rowMissing }
    }
}
