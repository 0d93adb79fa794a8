public import FoundationEssentials
import KeyStore
import Postgres

extension ControlStore {
    private static let seedByName = Statement("SELECT name, key_id FROM control.seeds WHERE name = $1")

    /// Returns the seed of a name, or `nil` if nothing was ever created under it.
    public func seed(_ name: String) async throws -> Seed? {
        try await connection.query(Self.seedByName, [name]).first
            .map { Seed(name: try $0.decode(0), keyID: try $0.decode(1)) }
    }
}

extension ControlWriter {
    private static let insertSeed = Statement(
        "INSERT INTO control.seeds (name, key_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
    )

    /// Inserts a seed, in the transaction that creates what it stands for.
    ///
    /// A concurrent transaction that inserts the same seed waits for this one: of two first starts at once, one gets
    /// false.
    ///
    /// - Returns: True if there was no such seed.
    public func insertSeed(_ name: String, keyID: UUID?) async throws -> Bool {
        try await transaction.connection.query(Self.insertSeed, [name, keyID]).affectedRows == 1
    }
}
