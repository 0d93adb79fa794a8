import Crypto

/// A named list of files that apply in order.
public struct MigrationLine: Sendable, Hashable {
    /// What the ledger calls it.
    public let name: String
    /// The files, in the order in which they apply, which is the order of their names.
    public let files: [MigrationFile]

    /// Checks and keeps a list.
    ///
    /// - Throws: `invalidFile` when a file is not after the one before it: names are compared byte by byte.
    public init(_ name: String, files: [MigrationFile]) throws(MigrationError) {
        for (before, after) in zip(files, files.dropFirst()) where !before.name.precedes(after.name) {
            throw .invalidFile(name: after.name, reason: "it stands after \(before.name) and sorts before it")
        }
        self.name = name
        self.files = files
    }

    /// SHA-256 over the names and checksums: the same for two programs that make the same schema.
    public var checksum: String {
        var hash = SHA256()
        for file in files { hash.update(data: Array("\(file.name) \(file.checksum)\n".utf8)) }
        return hash.finalize().hexadecimal
    }
}

extension String {
    /// The order of migration names: by bytes, as `COLLATE "C"` does, whatever the locale.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
