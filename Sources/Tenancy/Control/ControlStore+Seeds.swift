public import FoundationEssentials
import Postgres

/// Something that the first start made once.
public struct Seed: Sendable, Hashable {
    /// What it was called.
    public let name: String
    /// The key that was made, where it was one; it may have been revoked or deleted since.
    public let keyID: UUID?
}

extension ControlStore {
    private static let seedByName = Statement("SELECT name, key_id FROM control.seeds WHERE name = $1")
    private static let insertSeed = Statement(
        "INSERT INTO control.seeds (name, key_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
    )
    private static let allPeppers = Statement("SELECT id, check_value FROM control.peppers")
    private static let insertPepper = Statement(
        "INSERT INTO control.peppers (id, check_value) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"
    )

    /// What was made under a name, if anything ever was.
    public func seed(_ name: String) async throws -> Seed? {
        try await connection.query(Self.seedByName, [name]).first
            .map { Seed(name: try $0.decode(0), keyID: try $0.decode(1)) }
    }

    /// Notes that something is made, in the transaction that makes it.
    ///
    /// Another transaction that plants the same waits for this one: of two first starts at once, one gets `false`.
    /// - Returns: whether it had not been made before.
    public func plantSeed(_ name: String, keyID: UUID?) async throws -> Bool {
        try await connection.query(Self.insertSeed, [name, keyID]).affectedRows == 1
    }

    /// The check value of every pepper that was ever used, by the pepper's id.
    public func pepperCheckValues() async throws -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for row in try await connection.query(Self.allPeppers) {
            values[try row.decode(0)] = try row.decode(1, as: [UInt8].self)
        }
        return values
    }

    /// Notes a pepper's check value of 32 bytes.
    ///
    /// - Returns: false when there is one for this id already, which then counts.
    public func addPepper(_ id: String, checkValue: [UInt8]) async throws -> Bool {
        try await connection.query(Self.insertPepper, [id, checkValue]).affectedRows == 1
    }
}
