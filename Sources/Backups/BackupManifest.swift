public import FoundationEssentials
import JSON
public import Keys
public import Tenancy

/// The list of a backup's files, with their checksums, and the facts that a restoration needs.
///
/// A seal protects the list: an HMAC with a pepper of the installation, which is not in the backup.
public struct BackupManifest: Sendable {
    /// A file of the backup, and the database that it holds.
    public struct File: Sendable, Hashable {
        /// The database.
        public var database: InstallationDatabase
        /// The path of the file in the folder of the backup.
        public var path: String
        /// The number of bytes.
        public var bytes: Int64
        /// The SHA-256 of the file, in hexadecimal digits.
        public var checksum: String
    }

    /// The version of the format that this program writes, and the newest that it reads.
    public static let format = 1

    /// The id of the backup.
    public var id: UUID
    /// The version of the program that made the backup.
    public var program: String
    /// The contents of the installation.
    public var inventory: InstallationInventory
    /// The files, the control database first.
    public var files: [File]

    /// Returns the text of the manifest, sealed.
    func text(sealedWith pepper: Pepper) -> String {
        let members: JSONObject = [
            "format": .integer(Int64(Self.format)),
            "id": .string(UUIDv7.text(of: id)),
            "program": .string(program),
            "inventory": inventory.json,
            "files": .array(files.map(\.json)),
        ]
        return Seal.text(members, pepper)
    }

    /// Reads a manifest.
    ///
    /// - Parameters:
    ///   - bytes: The contents of the file.
    ///   - peppers: The peppers of the installation that the backup is of.
    /// - Throws: ``BackupError`` for a manifest of a newer program, of another installation, or that was cut short or changed.
    public init(parsing bytes: [UInt8], peppers: PepperRing) throws {
        let limits = JSONLimits(maximumBytes: max(bytes.count, 1))
        guard let json = try? JSONValue(parsing: bytes, limits: limits), let object = json.object,
            let format = json["format"]?.number?.int64
        else {
            throw BackupError(
                "The manifest of the backup is not complete.",
                advice: ["It was cut short or changed. Use another copy of the backup."]
            )
        }
        guard format <= Self.format else {
            throw BackupError(
                "The backup has format \(format), and this program reads formats up to \(Self.format).",
                advice: [
                    "It was made by Mortise \(json["program"]?.string ?? "of a newer version"). Use that version, or a later one."
                ]
            )
        }
        guard let id = json["pepper"]?.string.flatMap(SecretID.init), let pepper = peppers[id] else {
            throw BackupError(
                "The secrets file has no pepper \(json["pepper"]?.string ?? ""), which the tokens of this backup need.",
                advice: ["Put the secrets file of the installation in place that the backup is of."]
            )
        }
        guard Seal.isGenuine(object, pepper) else {
            throw BackupError(
                "The manifest of the backup does not fit its seal.",
                advice: [
                    "It was changed after the backup, or the secrets file is that of another installation. Use another copy."
                ]
            )
        }
        guard let backup = json["id"]?.string.flatMap(UUIDv7.parse), let program = json["program"]?.string,
            let inventory = json["inventory"].flatMap(InstallationInventory.init(json:)),
            let items = json["files"]?.array
        else { throw BackupError("The manifest of the backup lacks members.") }
        let files = items.compactMap { File(json: $0) }
        guard files.count == items.count, files.count(where: { $0.database.workspace == nil }) == 1 else {
            throw BackupError("The manifest of the backup has a malformed list of files.")
        }
        self.id = backup
        self.program = program
        self.inventory = inventory
        self.files = files
    }

    init(id: UUID, program: String, inventory: InstallationInventory, files: [File]) {
        self.id = id
        self.program = program
        self.inventory = inventory
        self.files = files
    }
}

extension BackupManifest.File {
    var json: JSONValue {
        [
            "database": database.json, "path": .string(path), "bytes": .integer(bytes), "sha256": .string(checksum),
        ]
    }

    init?(json: JSONValue) {
        guard let database = json["database"].flatMap(InstallationDatabase.init(json:)),
            let path = json["path"]?.string, let bytes = json["bytes"]?.number?.int64,
            let checksum = json["sha256"]?.string
        else { return nil }
        self.init(database: database, path: path, bytes: bytes, checksum: checksum)
    }
}
