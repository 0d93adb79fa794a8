import FoundationEssentials
import Glibc
import JSON
public import Keys
import Postgres
public import Tenancy

/// The backup of an installation into a folder: a dump of each database, and a sealed manifest.
///
/// The control database comes first, in one snapshot with the list of workspaces. Each workspace follows in a snapshot of its own, which is
/// later. So the backup has every change before its moment, and no workspace without its database. Another run in the same folder goes on
/// where an earlier one ended.
public struct Backup: Sendable {
    /// The result of a complete backup.
    public struct Report: Sendable {
        /// The manifest that was written.
        public let manifest: BackupManifest
        /// The sum of the sizes of all files.
        public let bytes: Int64
    }

    private let control: ControlDatabase
    private let folder: BackupFolder
    private let pepper: Pepper
    private let tools: PostgresTools
    private let program: String
    private let jobs: Int

    /// The number of times that the control database is dumped again, because a workspace was deleted meanwhile.
    private static let attempts = 5

    /// Describes a backup.
    ///
    /// - Parameters:
    ///   - control: The control database.
    ///   - folder: The folder, which is created if it does not exist. Otherwise it must be empty or have an interrupted backup.
    ///   - pepper: The pepper that seals the manifest. A restoration needs it, too.
    ///   - tools: The programs of PostgreSQL.
    ///   - program: The version of this program.
    ///   - jobs: The number of databases that are dumped at once.
    public init(
        _ control: ControlDatabase,
        folder: String,
        pepper: Pepper,
        tools: PostgresTools,
        program: String,
        jobs: Int
    ) {
        self.control = control
        self.folder = BackupFolder(path: folder)
        self.pepper = pepper
        self.tools = tools
        self.program = program
        self.jobs = jobs
    }

    /// The state of a backup that is not complete.
    private struct Start {
        let id: UUID
        let control: BackupManifest.File
        let inventory: InstallationInventory

        func text(_ pepper: Pepper) -> String {
            Seal.text(
                ["id": .string(UUIDv7.text(of: id)), "control": control.json, "inventory": inventory.json],
                pepper
            )
        }

        init(id: UUID, control: BackupManifest.File, inventory: InstallationInventory) {
            self.id = id
            self.control = control
            self.inventory = inventory
        }

        init?(parsing bytes: [UInt8], _ pepper: Pepper) {
            guard let json = try? JSONValue(parsing: bytes, limits: JSONLimits(maximumBytes: max(bytes.count, 1))),
                let object = json.object, Seal.isGenuine(object, pepper),
                let id = json["id"]?.string.flatMap(UUIDv7.parse),
                let control = json["control"].flatMap({ BackupManifest.File(json: $0) }),
                let inventory = json["inventory"].flatMap({ InstallationInventory(json: $0) })
            else { return nil }
            self.init(id: id, control: control, inventory: inventory)
        }
    }

    /// A workspace that was deleted while the backup was made.
    private struct WorkspaceDeleted: Error {}

    /// Makes the backup, or goes on with it.
    ///
    /// - Parameter observe: Called for each step, from several tasks.
    /// - Returns: The report.
    /// - Throws: ``BackupError``, also if a database could not be dumped: the others are kept, and another run goes on.
    public func run(observe: @escaping @Sendable (BackupEvent) -> Void) async throws -> Report {
        try folder.checkContents()
        try folder.create()
        let lock = try folder.lock()
        defer { close(lock) }
        guard !folder.exists(BackupFolder.manifestName) else {
            throw BackupError(
                "The folder \(folder.path) has a complete backup. Nothing was changed.",
                advice: ["Name a new folder."]
            )
        }
        folder.removeParts()
        var start = try await resume()
        for _ in 0..<Self.attempts {
            let current: Start
            if let start { current = start } else { current = try await begin(after: nil) }
            observe(.began(databases: current.inventory.databases.count))
            observe(.finished(database: current.control.database.name, isEarlier: start != nil))
            do {
                let files = try await dumpWorkspaces(current, observe)
                return try finish(current, files)
            } catch is WorkspaceDeleted {
                start = try await begin(after: current)
            }
        }
        throw BackupError(
            "Workspaces are deleted again and again while the backup is made.",
            advice: ["Run the same command again later: it goes on where this run ended."]
        )
    }

    /// Returns the state of an earlier run, or `nil` if there was none.
    ///
    /// The control database is dumped again if its file is not the one that the earlier run has recorded: the run was interrupted while it
    /// replaced both.
    private func resume() async throws -> Start? {
        guard folder.exists(BackupFolder.startName) else { return nil }
        guard let start = Start(parsing: try folder.read(BackupFolder.startName), pepper) else {
            throw BackupError(
                "The folder \(folder.path) has a backup that this program cannot continue.",
                advice: [
                    "It was begun with another pepper or by another version, or it was changed. Name a new folder."
                ]
            )
        }
        guard start.inventory.installation == control.primary.id else {
            throw BackupError(
                "The folder \(folder.path) has the backup of another installation.",
                advice: ["Name a new folder."]
            )
        }
        try tools.check(server: start.inventory.serverVersion)
        guard folder.exists(start.control.path) else { return try await begin(after: start) }
        let sum = try await folder.checksum(start.control.path)
        guard sum.bytes == start.control.bytes, sum.checksum == start.control.checksum else {
            return try await begin(after: start)
        }
        return start
    }

    /// Dumps the control database, and records the state.
    ///
    /// - Parameter earlier: The state that the new one replaces. Workspaces that were dumped since then keep their files, so the backup
    ///   keeps its id and its moment: all files have the changes before that moment.
    /// - Returns: The recorded state.
    /// - Throws: ``BackupError`` if a program is missing or fails, and the errors of the control database.
    private func begin(after earlier: Start?) async throws -> Start {
        try await control.withInventory { found, snapshot in
            try tools.check(server: found.serverVersion)
            var inventory = found
            if let earlier { inventory.moment = earlier.inventory.moment }
            let file = try await dump(inventory.databases[0], as: "control.dump", snapshot: snapshot)
            let start = Start(id: earlier?.id ?? Self.newID(at: inventory.moment), control: file, inventory: inventory)
            try folder.write(start.text(pepper), as: BackupFolder.startName)
            return start
        }
    }

    private static func newID(at moment: Timestamp) -> UUID {
        var random = SystemRandomNumberGenerator()
        return UUIDv7.make(at: moment, using: &random)
    }

    private func dumpWorkspaces(
        _ start: Start,
        _ observe: @escaping @Sendable (BackupEvent) -> Void
    ) async throws -> [BackupManifest.File] {
        let databases = start.inventory.databases.filter { $0.workspace != nil }
        let failures = await collectFailures(of: databases, atOnce: jobs) { database in
            let isEarlier = try await isComplete(database, in: start.id)
            if !isEarlier { try await dumpWorkspace(database, of: start.id) }
            observe(.finished(database: database.name, isEarlier: isEarlier))
        }
        try Task.checkCancellation()
        if failures.values.contains(where: { $0 is WorkspaceDeleted }) { throw WorkspaceDeleted() }
        if let first = failures.sorted(by: { $0.key < $1.key }).first {
            let database = databases[first.key]
            let lost = Set(failures.keys.map { databases[$0].cluster }).sorted().joined(separator: ", ")
            throw BackupError(
                """
                \(failures.count) of \(databases.count) workspaces could not be dumped (clusters: \(lost)). \
                The first is \(database.name): \(BackupError.reason(first.value))
                """,
                advice: [
                    "The backup in \(folder.path) is not complete. Run the same command again: it goes on where this run ended."
                ]
            )
        }
        return try databases.map { database in
            guard let file = facts(of: database, in: start.id) else {
                throw BackupError(
                    "\(folder.file(Self.fileName(database))).json cannot be used.",
                    advice: ["Remove it, and run the same command again, which dumps this database again."]
                )
            }
            return file
        }
    }

    private static func fileName(_ database: InstallationDatabase) -> String { "workspaces/\(database.name).dump" }

    /// Returns the facts of a file that is complete, or `nil` if they are not those of this backup.
    private func facts(of database: InstallationDatabase, in backup: UUID) -> BackupManifest.File? {
        guard let bytes = try? folder.read(Self.fileName(database) + ".json"),
            let json = try? JSONValue(parsing: bytes),
            let object = json.object, Seal.isGenuine(object, pepper),
            json["backup"]?.string == UUIDv7.text(of: backup),
            let file = json["file"].flatMap({ BackupManifest.File(json: $0) }), file.database == database
        else { return nil }
        return file
    }

    /// Returns true if an earlier run has dumped a database into a file that is unchanged.
    private func isComplete(_ database: InstallationDatabase, in backup: UUID) async throws -> Bool {
        guard let file = facts(of: database, in: backup), folder.exists(file.path) else { return false }
        let sum = try await folder.checksum(file.path)
        return sum.bytes == file.bytes && sum.checksum == file.checksum
    }

    private func dumpWorkspace(_ database: InstallationDatabase, of backup: UUID) async throws {
        do {
            let file = try await dump(database, as: Self.fileName(database), snapshot: nil)
            // The facts of the file come last: with them, another run takes it as complete.
            let facts: JSONObject = ["backup": .string(UUIDv7.text(of: backup)), "file": file.json]
            try folder.write(Seal.text(facts, pepper), as: Self.fileName(database) + ".json")
        } catch {
            try Task.checkCancellation()
            // The reason can be that the workspace was deleted after the snapshot of the control database.
            if let workspace = database.workspace, try await !control.keeps(workspace: workspace) {
                throw WorkspaceDeleted()
            }
            throw error
        }
    }

    private func dump(
        _ database: InstallationDatabase,
        as name: String,
        snapshot: String?
    ) async throws -> BackupManifest.File {
        // A server that is down is named by this connection, which has a deadline.
        let connection = try await control.connection(to: database)
        let part = try folder.newPart(of: name)
        do {
            try await tools.dump(
                connection.configuration,
                server: connection.serverVersion,
                to: part,
                snapshot: snapshot
            )
            try folder.finish(part, as: name)
        } catch {
            unlink(part)
            throw error
        }
        let sum = try await folder.checksum(name)
        return BackupManifest.File(database: database, path: name, bytes: sum.bytes, checksum: sum.checksum)
    }

    private func finish(_ start: Start, _ files: [BackupManifest.File]) throws -> Report {
        let manifest = BackupManifest(
            id: start.id,
            program: program,
            inventory: start.inventory,
            files: [start.control] + files
        )
        try folder.write(manifest.text(sealedWith: pepper), as: BackupFolder.manifestName)
        for file in files { folder.remove(file.path + ".json") }
        folder.remove(BackupFolder.startName)
        return Report(manifest: manifest, bytes: manifest.files.reduce(0) { $0 + $1.bytes })
    }
}
