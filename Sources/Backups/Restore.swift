import KeyStore
public import Keys
import People
import Postgres
public import Tenancy

/// The restoration of an installation from a backup.
///
/// Everything is checked before anything is changed. Another run goes on where an interrupted one ended. The restored installation is held:
/// servers do not start on it until an operator confirms the moment of the backup.
public struct Restore: Sendable {
    /// The manifest of the backup.
    public let manifest: BackupManifest

    private let folder: BackupFolder
    private let tools: PostgresTools
    private let jobs: Int

    /// The result of a restoration.
    public enum Outcome: Sendable {
        /// The installation was restored.
        case restored
        /// An earlier run has restored the installation.
        case isRestored
    }

    /// Reads the manifest of a backup.
    ///
    /// - Parameters:
    ///   - folder: The folder of the backup.
    ///   - peppers: The peppers of the installation that the backup is of.
    ///   - tools: The programs of PostgreSQL.
    ///   - jobs: The number of databases that are restored at once.
    /// - Throws: ``BackupError`` if the manifest cannot be used.
    public init(folder: String, peppers: PepperRing, tools: PostgresTools, jobs: Int) throws {
        self.folder = BackupFolder(path: folder)
        self.tools = tools
        self.jobs = jobs
        guard self.folder.exists(BackupFolder.manifestName) else {
            let isUnfinished = self.folder.exists(BackupFolder.startName)
            throw BackupError(
                isUnfinished ? "The backup in \(folder) is not complete." : "There is no backup in \(folder).",
                advice: isUnfinished
                    ? ["Run `mortise backup \(folder)` again, which completes it, or use another backup."] : []
            )
        }
        manifest = try BackupManifest(parsing: self.folder.read(BackupFolder.manifestName), peppers: peppers)
    }

    /// Compares all files with the manifest.
    ///
    /// - Parameter observe: Called for each file.
    /// - Throws: ``BackupError`` naming the first file that is missing, cut short or changed.
    public func checkFiles(observe: @escaping @Sendable (BackupEvent) -> Void) async throws {
        let newer = manifest.inventory.migrations.flatMap { line, names in
            names.filter { !Installation.knows(migration: $0, of: line) }
        }
        guard newer.isEmpty else {
            throw BackupError(
                "The databases of the backup are newer than this program: it does not know \(newer.sorted()[0]).",
                advice: ["The backup was made by Mortise \(manifest.program). Use that version, or a later one."]
            )
        }
        observe(.began(databases: manifest.files.count))
        let failures = await collectFailures(of: manifest.files, atOnce: jobs) { file in
            try await check(file)
            observe(.finished(database: file.database.name, isEarlier: false))
        }
        try Task.checkCancellation()
        if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
    }

    private func check(
        _ file: BackupManifest.File,
        advice: [String] = ["Use another copy of the backup. Nothing was changed."]
    ) async throws {
        guard folder.exists(file.path) else {
            throw BackupError("The file \(file.path) of the backup is missing.", advice: advice)
        }
        let sum = try await folder.checksum(file.path)
        guard sum.bytes == file.bytes else {
            throw BackupError(
                "The file \(file.path) of the backup has \(sum.bytes) bytes instead of \(file.bytes): it was cut short or changed.",
                advice: advice
            )
        }
        guard sum.checksum == file.checksum else {
            throw BackupError(
                "The file \(file.path) of the backup was changed: its checksum is another.",
                advice: advice
            )
        }
    }

    /// Restores all databases.
    ///
    /// - Parameters:
    ///   - target: The servers.
    ///   - observe: Called for each step, from several tasks.
    /// - Returns: The outcome.
    /// - Throws: ``BackupError``, `TenancyError` and the databases' errors. Another run goes on.
    public func run(_ target: RestoreTarget, observe: @escaping @Sendable (BackupEvent) -> Void) async throws -> Outcome
    {
        try tools.check(server: manifest.inventory.serverVersion)
        return try await target.withLock {
            let state = try await target.examine { server in try tools.check(server: server) }
            if state == .restored { return Outcome.isRestored }
            return try await restore(target, observe)
        }
    }

    private func restore(
        _ target: RestoreTarget,
        _ observe: @escaping @Sendable (BackupEvent) -> Void
    ) async throws -> Outcome {
        observe(.began(databases: manifest.files.count))
        guard let control = manifest.files.first(where: { $0.database.workspace == nil }) else {
            throw BackupError("The backup has no control database.")
        }
        try await target.prepareServers()
        let isNew = try await target.restore(control.database) { try await load(control, $0, server: $1) }
        try await target.holdControlDatabase { transaction in
            try await PeopleWriter(transaction).endAllSessions(by: .system, deadline: .seconds(120))
        }
        observe(.finished(database: control.database.name, isEarlier: !isNew))
        let workspaces = manifest.files.filter { $0.database.workspace != nil }
        let failures = await collectFailures(of: workspaces, atOnce: jobs) { file in
            let isNew = try await target.restore(file.database) { try await load(file, $0, server: $1) }
            try await target.holdWorkspace(file.database)
            observe(.finished(database: file.database.name, isEarlier: !isNew))
        }
        try Task.checkCancellation()
        if let first = failures.min(by: { $0.key < $1.key }) {
            throw BackupError(
                """
                \(failures.count) of \(workspaces.count) workspaces could not be restored. \
                The first is \(workspaces[first.key].database.name): \(BackupError.reason(first.value))
                """,
                advice: ["There is no installation yet. Run the same command again: it goes on where this run ended."]
            )
        }
        try await target.complete()
        return .restored
    }

    private func load(
        _ file: BackupManifest.File,
        _ database: PostgresConfiguration,
        server: Int
    ) async throws {
        // The first check can be hours old, and a dump runs as SQL of the owner.
        try await check(
            file,
            advice: ["There is no installation yet. Run the same command again with another copy of the backup."]
        )
        try await tools.restore(folder.file(file.path), to: database, server: server)
    }
}
