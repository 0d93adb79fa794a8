import Backups
import Keys
import Logging
import Postgres
import Service
import Tenancy

/// The work of `mortise backup` and `mortise restore`, as the owner of the databases.
struct BackupRun {
    private let settings: InstallationSettings
    private let reader: SettingReader
    private let jobs: Int

    init(_ settings: InstallationSettings, tools reader: SettingReader, jobs: Int) {
        self.settings = settings
        self.reader = reader
        self.jobs = jobs
    }

    /// Backs the installation up.
    ///
    /// - Throws: `CommandFailure`.
    func run(into folder: String) async throws {
        try settings.printWarnings()
        let tools = try await tools()
        try await InstallationAccess(settings, label: "mortise.backup")
            .withControl { control, host in
                let progress = Progress(noun: "database", isTerminal: Terminal.isError)
                let backup = Backup(
                    control,
                    folder: folder,
                    pepper: host.secrets.peppers.current,
                    tools: tools,
                    program: Version.current,
                    jobs: jobs
                )
                let report = try await Self.described("The installation cannot be backed up") {
                    defer { progress.end() }
                    return try await backup.run { progress.show($0) }
                }
                let count = report.manifest.files.count
                try Output.line(
                    "The backup in \(folder.printable) is complete: \(quantity(count, "database")), \(report.bytes) bytes."
                )
                try Output.line("It has every change that was made before \(report.manifest.inventory.moment.rfc3339).")
                try Output.line(
                    """
                    The secrets file \(settings.secretsPath.printable) is not in it. Keep a copy in another place: without it, no token \
                    can be verified.
                    """
                )
            }
    }

    /// Restores an installation.
    ///
    /// - Parameters:
    ///   - folder: The folder of the backup.
    ///   - clusters: Connection strings for clusters that are restored to another server, by their names.
    ///   - flags: The flags of the installation, for the next command.
    /// - Throws: `CommandFailure`.
    func restore(from folder: String, clusters: [String: String], flags: String) async throws {
        try settings.printWarnings()
        let tools = try await tools()
        let logger = Logger(label: "mortise.restore") { _ in SwiftLogNoOpLogHandler() }
        // The manifest needs the secrets alone: a fault of the backup must not even start a server.
        let secrets = try await InstallationSecrets.load(settings, .ofBackup, logger: logger)
        let restore = try await Self.described {
            let restore = try Restore(folder: folder, peppers: secrets.peppers, tools: tools, jobs: jobs)
            try Self.check(clusters, of: restore.manifest.inventory)
            let progress = Progress(noun: "file", done: "checked", isTerminal: Terminal.isError)
            defer { progress.end() }
            try await restore.checkFiles { progress.show($0) }
            return restore
        }
        let outcome = try await Host.with(settings, secretsFile: .never, logger: logger) { host in
            try await Reactor.with(name: "restore") { reactor in
                let owner = try host.configuration()
                let progress = Progress(noun: "database", done: "restored", isTerminal: Terminal.isError)
                defer { progress.end() }
                return try await Self.described {
                    let target = try RestoreTarget(
                        restore.manifest.inventory,
                        backup: restore.manifest.id,
                        owner: owner,
                        clusters: clusters,
                        version: Version.current,
                        reactor: reactor,
                        logger: logger
                    )
                    return try await restore.run(target) { progress.show($0) }
                }
            }
        }
        let moment = restore.manifest.inventory.moment.rfc3339
        switch outcome {
        case .restored: try Output.line("The installation was restored. It is held: no server starts on it yet.")
        case .isRestored:
            try Output.line("This backup was restored already. The installation is held: no server starts on it yet.")
        }
        try Output.line("It has the state of \(moment). Whatever was revoked after that moment is not revoked in it.")
        try Output.line(
            "To confirm this, and to let servers start, with the same settings: mortise release --moment \(moment)\(flags.printable)"
        )
    }

    /// Checks the named clusters, before files are read for hours or a server is made.
    ///
    /// - Throws: `CommandFailure` of kind `usage` if the backup lacks a cluster, `invalid` if a connection string cannot be used.
    private static func check(_ clusters: [String: String], of inventory: InstallationInventory) throws {
        let known = inventory.clusters.keys.filter { $0 != Cluster.primaryName }.sorted()
        for name in clusters.keys.sorted() where !known.contains(name) {
            let list =
                known.isEmpty
                ? "The backup has the primary cluster alone, which is restored to the server of the database settings."
                : "Its other clusters: \(known.joined(separator: ", "))."
            let near = NearestName.suggestion(for: name, among: known.map { ($0, "") })
            throw CommandFailure.usage(
                "Nothing was changed: the backup has no cluster \(name) besides the primary one.",
                details: (near.map { ["Did you mean \($0)?"] } ?? []) + [list]
            )
        }
        try RestoreTarget.check(connections: clusters)
    }

    private func tools() async throws -> PostgresTools {
        let folder = try reader.value(Settings.postgresBin)
        return try await Self.described { try await PostgresTools.find(preferred: folder) }
    }

    /// Translates the errors of backups.
    private static func described<Value>(
        _ fault: String = "The backup cannot be restored here",
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch let error as BackupError {
            throw CommandFailure(.refused, error.message, details: error.advice)
        } catch let error as TenancyError where error.code == .invalid {
            throw CommandFailure.usage("Nothing was changed: \(error.message).")
        } catch let error as TenancyError {
            throw CommandFailure(.refused, "\(fault): \(error.message).")
        }
    }
}
